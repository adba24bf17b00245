import {
  configureSync,
  getJsonLinesFormatter,
  getLogger,
  type Logger,
  type LogLevel,
} from "@logtape/logtape";
import type { Config } from "./config.ts";
import { redact } from "./redact.ts";

export { redact } from "./redact.ts";

/**
 * The logger of the gateway. It is silent until the program that uses the gateway configures LogTape for the
 * category `openrouter-anthropic-server`.
 */
export const logger: Logger = getLogger(["openrouter-anthropic-server"]);

/** What is told of one request: never its content, its keys or its query. */
export type RequestRecord = {
  requestId: string;
  method: string;
  path: string;
  status: number;
  /** From the request's arrival to the end of its answer. */
  milliseconds: number;
  /** Until the upstream's first event. */
  firstEventMilliseconds?: number;
  /** The name that the client asked for, and the model that answered. */
  model?: string;
  answeredBy?: string;
  dialect?: string;
  stream?: boolean;
  inputTokens?: number;
  outputTokens?: number;
  stopReason?: string;
  /** What became of a request that failed: the error's type and message. */
  error?: string;
};

/**
 * Logs one line for a request that has ended: as an error if the gateway or the upstream failed, as a warning if
 * the client is refused. Texts are redacted and cut after 300 characters.
 */
export function logRequest(record: RequestRecord): void {
  const level = record.status >= 500 ? "error" : record.status >= 400 || record.error ? "warning" : "info";
  if (!logger.isEnabledFor(level)) return;
  logger[level]("request", Object.fromEntries(Object.entries(record).map(clean)));
}

/** Starts the program's log: lines of JSON on stderr, redacted, from this level on. */
export function startLog(level: Config["logLevel"]): void {
  const toLine = getJsonLinesFormatter({ properties: "flatten" });
  configureSync({
    reset: true,
    sinks: { stderr: (record) => console.error(redact(toLine(record).trimEnd())) },
    loggers: [
      { category: logger.category.slice(), sinks: ["stderr"], lowestLevel: LEVELS[level] },
      { category: ["logtape", "meta"], sinks: ["stderr"], lowestLevel: "warning" },
    ],
  });
}

/** Prints a line of the program's own: what it was asked for, on stdout. */
export function printLine(line: string): void {
  console.log(line);
}

/** Prints a line about what went wrong, on stderr. */
export function printMistake(line: string): void {
  console.error(line);
}

/** What the gateway has seen since it started, for `GET /status`. */
export type Counters = { readonly startedAt: number; requests: number; errors: number; openStreams: number };

/** Creates counters that stand at nothing; `startedAt` is in milliseconds since 1970. */
export function createCounters(startedAt: number): Counters {
  return { startedAt, requests: 0, errors: 0, openStreams: 0 };
}

/** Creates the id of a request: `req_` and 24 letters and digits that nobody can guess. */
export function createRequestId(): string {
  let id = "req_";
  while (id.length < 28) {
    // 248 is the last multiple of 62 that a byte reaches: what lies beyond would favour the first characters.
    for (const byte of crypto.getRandomValues(new Uint8Array(28))) {
      if (byte < 248 && id.length < 28) id += BASE62[byte % 62];
    }
  }
  return id;
}

const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

const LEVELS: Record<Config["logLevel"], LogLevel | null> = {
  debug: "debug",
  info: "info",
  warn: "warning",
  error: "error",
  off: null,
};

function clean([name, value]: [string, unknown]): [string, unknown] {
  return [name, typeof value === "string" ? redact(value).slice(0, 300) : value];
}
