import { integer, type Schema, seconds } from "../schemas.ts";

type Seconds = Schema<string | number, number>;

/** Settings for timeouts and retries, part of the table in `settings.ts`. */
export const TIMEOUT_SETTINGS = {
  REQUEST_TIMEOUT: {
    flag: "--request-timeout",
    reload: true,
    schema: (): Seconds => seconds(0),
    default: "3600",
    text: "Maximum seconds of one request; 0: no limit",
  },
  CONNECT_TIMEOUT: {
    flag: "--connect-timeout",
    schema: (): Seconds => seconds(0),
    default: "10",
    text: "Maximum seconds to connect to an upstream, on Node only; 0: no limit",
  },
  FIRST_BYTE_TIMEOUT: {
    flag: "--first-byte-timeout",
    reload: true,
    schema: (): Seconds => seconds(0),
    default: "300",
    text: "Maximum seconds without data from an upstream before its answer begins; 0: no limit",
  },
  IDLE_TIMEOUT: {
    flag: "--idle-timeout",
    reload: true,
    schema: (): Seconds => seconds(0),
    default: "120",
    text: "Maximum seconds without an event from an upstream within its answer; 0: no limit",
  },
  UPSTREAM_RETRIES: {
    flag: "--upstream-retries",
    reload: true,
    schema: (): Schema<string | number, number> => integer(0, 2),
    default: "0",
    text: "Retries of an upstream request that fails before its answer begins: 0 to 2",
  },
  COOLDOWN: {
    flag: "--cooldown",
    reload: true,
    schema: (): Seconds => seconds(0),
    default: "5",
    text: "Seconds to skip a failed model of an alias with several, doubled with each failure; 0: never",
  },
  COOLDOWN_MAX: {
    flag: "--cooldown-max",
    reload: true,
    schema: (): Seconds => seconds(1),
    default: "300",
    text: "Maximum seconds for which a model is skipped after failures",
  },
  HEADER_TIMEOUT: {
    flag: "--header-timeout",
    schema: (): Seconds => seconds(0),
    default: "10",
    text: "Maximum seconds for a request's headers, on Node only (Bun: 10, Deno: no limit); 0: no limit",
  },
  BODY_TIMEOUT: {
    flag: "--body-timeout",
    schema: (): Seconds => seconds(0),
    default: "60",
    text: "Maximum seconds for a request's body; 0: no limit",
  },
  SHUTDOWN_TIMEOUT: {
    flag: "--shutdown-timeout",
    schema: (): Seconds => seconds(0),
    default: "30",
    text: "Maximum seconds for open answers to finish after SIGTERM or SIGINT; 0: no limit",
  },
  HOLD_TIMEOUT: {
    flag: "--hold-timeout",
    reload: true,
    schema: (): Seconds => seconds(0),
    default: "10",
    text: "Maximum delay of the HTTP status in seconds, until the upstream's first event; 0: no delay",
  },
  PING_INTERVAL: {
    flag: "--ping-interval",
    reload: true,
    schema: (): Seconds => seconds(0.1),
    default: "10",
    text: "Seconds without an event after which a stream sends a ping",
  },
} as const;
