import type { Clock } from "../runtime/clock.ts";
import { ApiError } from "../base/errors.ts";
import { isDeeperThan } from "../base/json_depth.ts";

/** Maximum size of a request body, in bytes. Source: https://platform.claude.com/docs/en/api/errors */
const MAX_BODY_BYTES = 32 * 1024 * 1024;

/** Maximum nesting depth of a body. Functions that walk or serialize a body are recursive and use the stack. */
const MAX_DEPTH = 200;

/** Maximum length of the path in an error message, in characters. */
const MAX_PATH_CHARS = 300;

/** Options of {@linkcode readJsonBody}. */
export interface BodyOptions {
  clock: Clock;
  config: {
    /** Timeout for the complete body, in seconds; 0 is no limit. */
    bodyTimeout: number;
  };
}

/**
 * Reads and parses the JSON body of a request.
 *
 * @throws {ApiError} `request_too_large` past 32 MiB; `invalid_request_error` if the body is incomplete, not UTF-8, not
 * JSON, nested more than 200 levels deep, or has a number that is not finite; `timeout_error` (408) if it arrives too
 * slowly.
 */
export async function readJsonBody(request: Request, options: BodyOptions): Promise<unknown> {
  const value = parse(await readBody(request, options));
  const steps = findInfinite(value);
  if (steps === undefined) return value;
  const path = (steps.toReversed().join(".") || "body").slice(0, MAX_PATH_CHARS);
  throw new ApiError("invalid_request_error", `${path}: Input should be a finite number`);
}

function parse(text: string): unknown {
  if (isDeeperThan(text, MAX_DEPTH)) {
    throw new ApiError(
      "invalid_request_error",
      `The request body is nested more than ${MAX_DEPTH} levels deep`,
    );
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    const why = text.trim() === "" ? "it is empty" : syntaxErrorReason(cause);
    throw new ApiError("invalid_request_error", `The request body is not valid JSON: ${why}`);
  }
}

async function readBody(request: Request, { clock, config }: BodyOptions): Promise<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const decode = (bytes?: Uint8Array) => {
    try {
      return decoder.decode(bytes, { stream: bytes !== undefined });
    } catch (cause) {
      throw new ApiError("invalid_request_error", "The request body is not valid UTF-8", { cause });
    }
  };
  let text = "";
  let size = 0;
  const reader = request.body?.getReader();
  let timedOut = false;
  // Releasing the lock ends the pending read. The body is not cancelled: that would cut the connection before the
  // response is sent.
  const abort = () => {
    timedOut = true;
    reader?.releaseLock();
  };
  const cancel = config.bodyTimeout > 0 ? clock.after(config.bodyTimeout * 1000, abort) : () => {};
  try {
    while (reader !== undefined) {
      const { done, value } = await reader.read();
      if (done) break;
      size += value.byteLength;
      if (size > MAX_BODY_BYTES) {
        throw new ApiError("request_too_large", "Request exceeds the maximum size of 32 MiB");
      }
      text += decode(value);
    }
    return text + decode();
  } catch (cause) {
    if (cause instanceof ApiError) throw cause;
    if (timedOut) {
      const message = `Cannot read the request body: it took longer than ${config.bodyTimeout} s`;
      throw new ApiError("timeout_error", message, { status: 408 });
    }
    if (request.signal.aborted) throw new DOMException("The client disconnected", "AbortError");
    throw new ApiError("invalid_request_error", "Cannot read the request body: it is incomplete", { cause });
  } finally {
    cancel();
    reader?.releaseLock();
  }
}

/** Returns the parser's message without the excerpt of the body that some engines quote. */
function syntaxErrorReason(error: unknown): string {
  const message = error instanceof Error ? error.message : "";
  return message.replace(/,?\s*(\.\.\.)?".*"(\.\.\.)?/s, "").slice(0, 200);
}

/**
 * Finds a number in parsed JSON that is not finite, such as `1e999`. Serialized again, it would become `null`.
 * Returns the path to it, last step first, or `undefined`.
 *
 * @example Usage
 * ```ts
 * import { findInfinite } from "./read_json.ts";
 *
 * findInfinite(JSON.parse('{"a":[1,1e999]}')); // ["1", "a"]
 * ```
 */
export function findInfinite(value: unknown): string[] | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? undefined : [];
  if (typeof value !== "object" || value === null) return undefined;
  for (const [name, member] of Object.entries(value)) {
    const steps = findInfinite(member);
    if (steps !== undefined) return [...steps, name];
  }
  return undefined;
}
