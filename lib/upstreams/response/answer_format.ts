/** Format of an upstream's answer. */
export type AnswerFormat = "events" | "json";

/** Fields of an event stream. */
const FIELD_START = /^(:|(data|event|id|retry|error) ?:)/;
/** A page, of which no part is an answer. */
const HTML_START = /^<(!|\?|[a-z])/i;
const JSON_TYPE = /^(application|text)\/([\w.-]+\+)?(json|x-ndjson|ndjson|jsonl|x-jsonlines|json-seq)$/;

/**
 * Returns the format of an answer by its content type and its first characters, which count if they contradict the
 * type. Undefined if it is neither an event stream nor JSON.
 *
 * @example Usage
 * ```ts
 * import { detectFormat } from "./answer_format.ts";
 *
 * if (detectFormat("application/json", "data: {") !== "events") throw new Error("the type was believed");
 * if (detectFormat("text/html", "<html>") !== undefined) throw new Error("a page is no answer");
 * ```
 */
export function detectFormat(type: string, start: string): AnswerFormat | undefined {
  if (HTML_START.test(start)) return undefined;
  if (FIELD_START.test(start)) return "events";
  // An event stream may also hold JSON outside of an event.
  if (type === "" || type === "text/event-stream") return "events";
  if (JSON_TYPE.test(type)) return "json";
  return /^[{[]/.test(start) ? "json" : undefined;
}
