import {
  configureSync,
  getConfig,
  getJsonLinesFormatter,
  getLogger,
  type Logger,
  type LogLevel as Severity,
  type LogRecord,
} from "@logtape/logtape";
import type { ServerState } from "../../tools/mcp/managed/lifecycle.ts";
import type { AuditRecord } from "../../tools/toolbox/call_runner.ts";
import type { SetAsideRecord } from "../../tools/toolbox/toolbox.ts";
import { isObject } from "../base/json.ts";
import { LOG_COMPONENTS, type LogComponent, type LogLevel } from "../base/log_components.ts";
import { redact } from "../base/redact.ts";
import { NAME } from "../base/version.ts";
import { onExit } from "../runtime/process.ts";
import { toJsonLine } from "./json_line.ts";
import { LineBatch } from "./line_batch.ts";
import { toPrettyLine } from "./pretty_line.ts";
import { activeTraceIds } from "./telemetry.ts";

/**
 * Logger of the gateway. It writes nothing until the embedding program configures LogTape for the category
 * `openrouter-anthropic-server`. Components log in categories below it, such as `openrouter-anthropic-server.tool`.
 */
export const logger: Logger = getLogger([NAME]);

const loggers = Object.fromEntries(LOG_COMPONENTS.map((name) => [name, logger.getChild(name)]));

/** Returns the logger of a component. */
export function loggerOf(component: LogComponent): Logger {
  return loggers[component] ?? logger;
}

/** Logs a tool call, its client and its result. The level is `error` if the gateway itself failed. */
export function logAudit({ error, ...record }: AuditRecord): void {
  if (error === undefined) loggerOf("tool").info("tool", toProperties(record));
  else logError("tool", { ...record, error }, "tool");
}

/** Logs that a command has created or changed protected files. */
export function logSetAside(record: SetAsideRecord): void {
  loggerOf("tool").warn("set aside", toProperties({ ...record }));
}

/** Logs the new state of a managed MCP server. The level is `warning` if it has ended or could not be started. */
export function logServerState(server: string, state: ServerState): void {
  const record = toProperties({
    server,
    state: state.name,
    ..."reason" in state && { reason: state.reason },
  });
  if ("reason" in state) loggerOf("tool").warn("mcp server", record);
  else loggerOf("tool").info("mcp server", record);
}

/** Logs a problem that does not fail a request by itself. */
export function logWarning(
  message: string,
  fields: ProblemFields,
  component: LogComponent = "gateway",
): void {
  loggerOf(component).warn(message, toProperties(fields));
}

/** Logs a defect of the gateway itself. */
export function logError(
  message: string,
  fields: ProblemFields,
  component: LogComponent = "gateway",
): void {
  loggerOf(component).error(message, toProperties(fields));
}

/**
 * Logs a line of a component, whose message is the component's name.
 *
 * The logger's methods by level take twice as long: they parse a template, and make a record whose fields are read
 * lazily.
 */
export function logLine(component: LogComponent, level: Severity, fields: ProblemFields): void {
  const logger = loggerOf(component);
  if (!logger.isEnabledFor(level)) return;
  // A record that is emitted has no properties of `withContext()`, which needs this storage.
  if (getConfig()?.contextLocalStorage !== undefined) {
    return logger[level === "warning" ? "warn" : level](component, toProperties(fields));
  }
  const record: LogRecord = {
    category: logger.category,
    level,
    timestamp: Date.now(),
    message: [component],
    rawMessage: component,
    properties: toProperties(fields),
  };
  logger.emit(record);
}

/** Fields of a log line; `error` is logged with its causes. */
type ProblemFields = { error?: unknown; [field: string]: unknown };

/**
 * Returns the properties of a log line: the fields that are present, redacted and cut, and the ids of the active trace,
 * if there is one.
 */
export function toProperties(fields: ProblemFields): Record<string, unknown> {
  const properties: Record<string, unknown> = { ...activeTraceIds() };
  for (const name in fields) {
    const value = fields[name];
    if (value !== undefined && name !== "error") properties[name] = cleanValue(value);
  }
  if (fields.error !== undefined) properties.error = cleanValue(errorChain(fields.error));
  return properties;
}

/** Options of {@linkcode startLog}. */
export interface LogOptions {
  /** Levels of components that differ from that of the log. */
  levels?: ReadonlyMap<LogComponent, LogLevel> | undefined;
  /** `json` for programs, `pretty` for people. */
  format?: "json" | "pretty";
  /**
   * True if lines below the level `warn` may be written together, up to 50 ms late. They are written at the exit, too.
   */
  batched?: boolean;
  /** Text before the lines of each write, such as control characters that erase a line which the program draws. */
  prefix?: string;
}

/** Configures the program's log: redacted lines on stderr. */
export function startLog(
  level: LogLevel,
  { levels, format = "json", batched = false, prefix = "" }: LogOptions = {},
): void {
  logPrefix = prefix;
  const toSink = (toLine: (record: LogRecord) => string) => (record: LogRecord) => {
    const line = escapeControls(redact(toLine(record).trimEnd()));
    log.add(line, { urgent: !batched || !CALM.has(record.level) });
  };
  configureSync({
    reset: true,
    sinks: {
      stderr: toSink(format === "json" ? toJsonLine : toPrettyLine),
      // Records of LogTape itself have any values as properties.
      meta: toSink(format === "json" ? getJsonLinesFormatter({ properties: "flatten" }) : toPrettyLine),
    },
    loggers: [
      { category: [NAME], sinks: ["stderr"], lowestLevel: LEVELS[level] },
      ...LOG_COMPONENTS.map((component) => ({
        category: [NAME, component],
        sinks: ["stderr"],
        parentSinks: "override" as const,
        lowestLevel: LEVELS[levels?.get(component) ?? level],
      })),
      { category: ["logtape", "meta"], sinks: ["meta"], lowestLevel: "warning" },
    ],
  });
}

let logPrefix = "";
const log = new LineBatch((lines) => console.error(`${logPrefix}${lines}`));
onExit(() => log.flush());

/** Levels of lines that may wait. */
const CALM: ReadonlySet<Severity> = new Set(["trace", "debug", "info"]);

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
 * Escapes characters that JSON allows and terminals interpret or hide: controls, line separators, directions of
 * writing, lone surrogates.
 */
function escapeControls(line: string): string {
  if (!NOT_PLAIN.test(line)) return line;
  return line.replace(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
    (character) =>
      Array.from(
        { length: character.length },
        (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`,
      ).join(""),
  );
}

/** A character that is not printable ASCII. Most lines have none, and the search for one is short. */
const NOT_PLAIN = /[^ -~]/;

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

/** Formats an error and its causes, at most five. */
export function errorChain(error: unknown): string {
  const chain = [String(error)];
  for (let at = error; at instanceof Error && at.cause !== undefined && chain.length < 5; at = at.cause) {
    chain.push(String(at.cause));
  }
  return chain.join(" <- ");
}
