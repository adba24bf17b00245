import {
  configureSync,
  getJsonLinesFormatter,
  getLogger,
  type Logger,
  type LogLevel as Severity,
} from "@logtape/logtape";
import type { AuditRecord } from "../../tools/toolbox/toolbox.ts";
import { redact } from "../base/redact.ts";

/**
 * The logger of the gateway. It is silent until the program that uses the gateway configures LogTape for the
 * category `openrouter-anthropic-server`.
 */
export const logger: Logger = getLogger(["openrouter-anthropic-server"]);

/** What is told of one request: never its content, its keys or its query. */
export type RequestRecord = {
  requestId: string;
  /** The client's own id for the request. */
  correlationId?: string | undefined;
  /** The name of the key that was shown, or `local`, `admin`, `nobody`. */
  client: string;
  method: string;
  path: string;
  status: number;
  /** Whether the answer was said to its end, broken off by a failure, or left by the client. */
  outcome: "finished" | "failed" | "left";
  /** From the request's arrival to the end of its answer. */
  milliseconds: number;
  /** The name that the client asked for, and the upstream and model that answered. */
  model?: string;
  answeredBy?: string;
  inputTokens?: number | undefined;
  outputTokens?: number;
  cachedTokens?: number | undefined;
  stopReason?: string | undefined;
  /** What the upstream says the answer cost, in USD. */
  cost?: number;
  /** What the request lost on its way: all that the header `x-gateway-loss` may have cut. */
  loss?: string[];
  /** What made the request fail; what lies behind it is logged too. */
  error?: unknown;
};

/**
 * Logs one line for a request that has ended: as an error if the gateway or the upstream failed, as a warning if
 * the client is refused. Texts are redacted and cut after 300 characters.
 */
export function logRequest({ error, ...record }: RequestRecord): void {
  const failed = record.status >= 400 || error !== undefined;
  const level = record.status >= 500 ? "error" : failed ? "warning" : "info";
  if (!logger.isEnabledFor(level)) return;
  const entries = Object.entries({ ...record, error: error === undefined ? undefined : errorChain(error) });
  const present = entries.filter(([, value]) => value !== undefined);
  logger[level === "warning" ? "warn" : level]("request", Object.fromEntries(present.map(cleanField)));
}

/** Logs that a tool was run, for whom, and how that ended: as an error if the gateway itself failed. */
export function logAudit({ error, ...record }: AuditRecord): void {
  if (error === undefined) logger.info("tool", toProperties(record));
  else logError("tool", { ...record, error });
}

/** Logs a problem that does not fail a request. */
export function logWarning(message: string, fields: ProblemFields): void {
  logger.warn(message, toProperties(fields));
}

/** Logs a defect of the gateway itself. */
export function logError(message: string, fields: ProblemFields): void {
  logger.error(message, toProperties(fields));
}

/** Fields of a log line; an error is written with its causes. */
type ProblemFields = { error?: unknown; [field: string]: unknown };

function toProperties({ error, ...fields }: ProblemFields): Record<string, unknown> {
  const all = error === undefined ? fields : { ...fields, error: errorChain(error) };
  return Object.fromEntries(Object.entries(all).map(cleanField));
}

/** Minimum level of the lines that are written. */
export type LogLevel = "debug" | "info" | "warn" | "error" | "off";

/** Starts the program's log: lines of JSON on stderr, redacted, from this level on. */
export function startLog(level: LogLevel): void {
  const toLine = getJsonLinesFormatter({ properties: "flatten" });
  configureSync({
    reset: true,
    sinks: { stderr: (record) => console.error(escapeControls(redact(toLine(record).trimEnd()))) },
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
export function printError(line: string): void {
  console.error(line);
}

const LEVELS: Record<LogLevel, Severity | null> = {
  debug: "debug",
  info: "info",
  warn: "warning",
  error: "error",
  off: null,
};

/** Escapes what JSON lets stand, and some terminals take for a command or for the end of a line. */
function escapeControls(line: string): string {
  return line.replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function cleanField([name, value]: [string, unknown]): [string, unknown] {
  return [name, typeof value === "string" ? redact(value).slice(0, 300) : value];
}

/** An error and what lies behind it. */
function errorChain(error: unknown): string {
  const chain = [String(error)];
  for (let at = error; at instanceof Error && at.cause !== undefined && chain.length < 5; at = at.cause) {
    chain.push(String(at.cause));
  }
  return chain.join(" <- ");
}
