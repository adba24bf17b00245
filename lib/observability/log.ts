import {
  configureSync,
  getJsonLinesFormatter,
  getLogger,
  type Logger,
  type LogLevel as Severity,
} from "@logtape/logtape";
import type { ServerState } from "../../tools/mcp/managed/lifecycle.ts";
import type { AuditRecord } from "../../tools/toolbox/call_runner.ts";
import type { SetAsideRecord } from "../../tools/toolbox/toolbox.ts";
import { isObject } from "../base/json.ts";
import { redact } from "../base/redact.ts";

/**
 * Logger of the gateway. It writes nothing until the embedding program configures LogTape for the category
 * `openrouter-anthropic-server`.
 */
export const logger: Logger = getLogger(["openrouter-anthropic-server"]);

/** Log record of one request, without its content, keys and query. */
export type RequestRecord = {
  requestId: string;
  /** Id of the request set by the client. */
  correlationId?: string | undefined;
  /** Id of the request at the upstream. */
  upstreamRequestId?: string | undefined;
  /** Name of the client's key, or a reserved name of `config/gateway_keys.ts`. */
  client: string;
  method: string;
  path: string;
  status: number;
  /** Complete answer, failure, or disconnected client. */
  outcome: "finished" | "failed" | "left";
  /** Duration from the arrival of the request to the end of its answer. */
  milliseconds: number;
  /** Model in the request. */
  model?: string;
  /** Upstream and model that answered. */
  answeredBy?: string;
  inputTokens?: number | undefined;
  outputTokens?: number;
  cachedTokens?: number | undefined;
  stopReason?: string | undefined;
  /** Cost of the answer in USD, as the upstream reports it. */
  cost?: number;
  /** The entries of the loss report; the line has the first 20. */
  loss?: string[];
  /** Error that failed the request; it is logged with its causes. */
  error?: unknown;
};

/**
 * Logs one line for a finished request.
 *
 * The level is `error` from status 500, `warning` for any other failure, else `info`. Texts are redacted and cut to 300
 * characters, lists to 20 items: a line has at most 16 KiB.
 */
export function logRequest({ error, ...record }: RequestRecord): void {
  const failed = record.status >= 400 || error !== undefined;
  const level = record.status >= 500 ? "error" : failed ? "warning" : "info";
  if (!logger.isEnabledFor(level)) return;
  const entries = Object.entries({ ...record, error: error === undefined ? undefined : errorChain(error) });
  const present = entries.filter(([, value]) => value !== undefined);
  logger[level === "warning" ? "warn" : level]("request", Object.fromEntries(present.map(cleanField)));
}

/** Logs a tool call, its client and its result. The level is `error` if the gateway itself failed. */
export function logAudit({ error, ...record }: AuditRecord): void {
  if (error === undefined) logger.info("tool", toProperties(record));
  else logError("tool", { ...record, error });
}

/** Logs that a command has created or changed protected files. */
export function logSetAside(record: SetAsideRecord): void {
  logger.warn("set aside", toProperties({ ...record }));
}

/** Logs the new state of a managed MCP server. The level is `warning` if it has ended or could not be started. */
export function logServerState(server: string, state: ServerState): void {
  const record = toProperties({
    server,
    state: state.name,
    ..."reason" in state && { reason: state.reason },
  });
  if ("reason" in state) logger.warn("mcp server", record);
  else logger.info("mcp server", record);
}

/** Logs a problem that does not fail a request by itself. */
export function logWarning(message: string, fields: ProblemFields): void {
  logger.warn(message, toProperties(fields));
}

/** Logs a defect of the gateway itself. */
export function logError(message: string, fields: ProblemFields): void {
  logger.error(message, toProperties(fields));
}

/** Fields of a log line; `error` is logged with its causes. */
type ProblemFields = { error?: unknown; [field: string]: unknown };

function toProperties({ error, ...fields }: ProblemFields): Record<string, unknown> {
  const all = error === undefined ? fields : { ...fields, error: errorChain(error) };
  return Object.fromEntries(Object.entries(all).map(cleanField));
}

/** Minimum log level. */
export type LogLevel = "debug" | "info" | "warn" | "error" | "off";

/** Configures the program's log: redacted JSON lines on stderr. */
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

/** Prints a line of the program's output on stdout. */
export function printLine(line: string): void {
  console.log(line);
}

/** Prints an error line on stderr. */
export function printError(line: string): void {
  console.error(line.replace(/[^\n\t]+/g, escapeControls));
}

const LEVELS: Record<LogLevel, Severity | null> = {
  debug: "debug",
  info: "info",
  warn: "warning",
  error: "error",
  off: null,
};

/**
 * Escapes characters that JSON allows and terminals interpret or hide: controls, line separators, directions of writing,
 * lone surrogates.
 */
function escapeControls(line: string): string {
  return line.replace(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
    (character) =>
      Array.from(
        { length: character.length },
        (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`,
      ).join(""),
  );
}

function cleanField([name, value]: [string, unknown]): [string, unknown] {
  return [name, cleanValue(value)];
}

/** Returns a value redacted and cut: texts to 300 characters, lists to 20 items, objects to their JSON. */
function cleanValue(value: unknown): unknown {
  if (typeof value === "string") return redact(value.slice(0, MAX_REDACTED_CHARS)).slice(0, MAX_TEXT_CHARS);
  if (Array.isArray(value)) {
    const more = value.length - MAX_ITEMS;
    return [...value.slice(0, MAX_ITEMS).map(cleanValue), ...(more > 0 ? [`${more} more`] : [])];
  }
  return isObject(value) ? cleanValue(JSON.stringify(value)) : value;
}

const MAX_TEXT_CHARS = 300;
const MAX_ITEMS = 20;
/** Characters of a text that are searched for credentials. */
const MAX_REDACTED_CHARS = 10_000;

/** Formats an error and its causes. */
function errorChain(error: unknown): string {
  const chain = [String(error)];
  for (let at = error; at instanceof Error && at.cause !== undefined && chain.length < 5; at = at.cause) {
    chain.push(String(at.cause));
  }
  return chain.join(" <- ");
}
