import { integer, type Schema, seconds } from "./schemas.ts";

type Seconds = Schema<string | number, number>;

/** The settings of time and of repeating, part of the table in `settings.ts`. */
export const TIMEOUT_SETTINGS = {
  REQUEST_TIMEOUT: {
    flag: "--request-timeout",
    schema: (): Seconds => seconds(0),
    default: "3600",
    text: "Seconds that one request may take; 0 is no limit, here and in what follows",
  },
  CONNECT_TIMEOUT: {
    flag: "--connect-timeout",
    schema: (): Seconds => seconds(0),
    default: "10",
    text:
      "Seconds to connect to an upstream; on Node alone, elsewhere `FIRST_BYTE_TIMEOUT` and the system limit it",
  },
  FIRST_BYTE_TIMEOUT: {
    flag: "--first-byte-timeout",
    schema: (): Seconds => seconds(0),
    default: "300",
    text: "Seconds of an upstream's silence before its answer has begun",
  },
  IDLE_TIMEOUT: {
    flag: "--idle-timeout",
    schema: (): Seconds => seconds(0),
    default: "120",
    text: "Seconds of an upstream's silence within its answer",
  },
  UPSTREAM_RETRIES: {
    flag: "--upstream-retries",
    schema: (): Schema<string | number, number> => integer(0, 2),
    default: "0",
    text: "How often an upstream is asked again that refused or failed before it answered: 0 to 2",
  },
  HEADER_TIMEOUT: {
    flag: "--header-timeout",
    schema: (): Seconds => seconds(0),
    default: "10",
    text: "Seconds that a client may take for its headers; on Node alone: Bun takes 10, Deno has no limit",
  },
  BODY_TIMEOUT: {
    flag: "--body-timeout",
    schema: (): Seconds => seconds(0),
    default: "60",
    text: "Seconds that a client may take for the body of its request",
  },
  SHUTDOWN_TIMEOUT: {
    flag: "--shutdown-timeout",
    schema: (): Seconds => seconds(0),
    default: "30",
    text: "Seconds that open answers may still take when the gateway is stopped",
  },
  HOLD_TIMEOUT: {
    flag: "--hold-timeout",
    schema: (): Seconds => seconds(0),
    default: "10",
    text: "Seconds that the HTTP status waits for the upstream's first event; 0 waits for none",
  },
  PING_INTERVAL: {
    flag: "--ping-interval",
    schema: (): Seconds => seconds(0.1),
    default: "10",
    text: "Seconds of silence after which a stream carries a ping",
  },
} as const;
