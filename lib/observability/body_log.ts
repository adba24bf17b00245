import { isObject, type JsonObject } from "../base/json.ts";
import type { DayFiles } from "../runtime/day_files.ts";
import { logWarning } from "./log.ts";
import { type Mask, maskJson } from "./mask.ts";
import type { FinishedRequest } from "./request_record.ts";

/** Prompts and answers of requests, for an operator who has enabled this. */
export interface BodyLog {
  /** Why nothing is written; undefined if all is well. */
  readonly failure: string | undefined;
  /** Adds the content of a request, masked and cut. */
  add(finished: FinishedRequest, options: { mask: Mask; now: number }): void;
}

/** Maximum characters of one text of a body. */
const MAX_TEXT_CHARS = 20_000;
/** Maximum characters of an entry. */
const MAX_ENTRY_CHARS = 1024 * 1024;

/** Creates the log of bodies. Each entry is one line of JSON. */
export function createBodyLog(files: DayFiles): BodyLog {
  let warned = false;
  return {
    get failure() {
      return files.failure;
    },
    add({ record, content }, { mask, now }) {
      const { requestId, correlationId, client, session, model, answeredBy, outcome } = record;
      // Clients choose the session and the name of the model.
      const names = maskJson({ correlationId, client, session, model, answeredBy }, mask) as JsonObject;
      const head = { timestamp: new Date(now).toISOString(), requestId, ...names, outcome };
      const [request, answer] = [content?.request, content?.answer].map((body) =>
        maskJson(cutTexts(body), mask)
      );
      let line = JSON.stringify({ ...head, request, answer });
      if (line.length > MAX_ENTRY_CHARS) {
        const start = JSON.stringify(request).slice(0, MAX_ENTRY_CHARS / 4);
        const end = JSON.stringify(answer).slice(0, MAX_ENTRY_CHARS / 4);
        line = JSON.stringify({ ...head, cut: true, request: start, answer: end });
      }
      if (files.append(line, now) || warned) return;
      warned = true;
      logWarning("bodies are not written to LOG_DIR", { reason: files.failure });
    },
  };
}

/** Cuts long texts, such as images in base64. */
function cutTexts(value: unknown): unknown {
  if (typeof value === "string") {
    const more = value.length - MAX_TEXT_CHARS;
    return more > 0 ? `${value.slice(0, MAX_TEXT_CHARS)}… (${more} more characters)` : value;
  }
  if (Array.isArray(value)) return value.map(cutTexts);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, cutTexts(member)]));
}
