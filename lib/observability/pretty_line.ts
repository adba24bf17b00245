import type { LogRecord } from "@logtape/logtape";

/**
 * Formats a log record for people: time, level, component, message, and the fields as `name=value`.
 *
 * @example Usage
 * ```ts
 * import { toPrettyLine } from "./pretty_line.ts";
 *
 * const record = {
 *   category: ["openrouter-anthropic-server", "tool"],
 *   level: "info" as const,
 *   timestamp: 0,
 *   message: ["tool"],
 *   rawMessage: "tool",
 *   properties: { client: "local", milliseconds: 3 },
 * };
 * if (toPrettyLine(record) !== "00:00:00.000 INFO  tool     tool client=local milliseconds=3") {
 *   throw new Error(toPrettyLine(record));
 * }
 * ```
 */
export function toPrettyLine({ timestamp, level, category, message, properties }: LogRecord): string {
  const time = new Date(timestamp).toISOString().slice(11, 23);
  const component = category.at(1) ?? category.at(0) ?? "";
  const fields = Object.entries(properties).map(([name, value]) => `${name}=${toShortText(value)}`);
  const head = [time, LEVELS[level] ?? level, component.padEnd(8), message.map(String).join("")];
  return [...head, ...fields].join(" ");
}

const LEVELS: Partial<Record<string, string>> = {
  debug: "DEBUG",
  info: "INFO ",
  warning: "WARN ",
  error: "ERROR",
};

/** Returns a value without quotes if it is one word. */
function toShortText(value: unknown): string {
  if (typeof value === "string") return /^[\w./:@+~-]+$/.test(value) ? value : JSON.stringify(value);
  return Array.isArray(value) ? `[${value.map(toShortText).join(", ")}]` : String(value);
}
