import type { Clock } from "../runtime/clock.ts";
import { ApiError } from "../base/errors.ts";

/** The largest body a client may send, in bytes. Source: https://platform.claude.com/docs/en/api/errors */
const MAX_BODY_BYTES = 32 * 1024 * 1024;

/** How deep a body may be nested: whoever walks it, or writes it out again, does so on the stack. */
const MAX_DEPTH = 200;

/** How much of the way to a mistake an error tells, in characters. */
const MAX_PATH_CHARS = 300;

/** What reading a request needs to know. */
export interface BodyOptions {
  clock: Clock;
  config: {
    /** Seconds until the body must be there; 0 is no limit. */
    bodyTimeout: number;
  };
}

/**
 * Reads the JSON of a request.
 *
 * @throws {ApiError} `request_too_large` past 32 MiB, `invalid_request_error` if it is no UTF-8 or no JSON, nested more
 * than 200 deep, or has a number that is not finite, `timeout_error` (408) if it is slow to arrive.
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
  // Letting go of the body ends the wait for more of it. It is not cancelled: that would cut the connection on which
  // the answer is still to go.
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
    if (request.signal.aborted) throw new DOMException("The client has left", "AbortError");
    throw new ApiError("invalid_request_error", "Cannot read the request body: it breaks off", { cause });
  } finally {
    cancel();
    reader?.releaseLock();
  }
}

/** What the parser says is wrong, without the piece of the body that some engines quote. */
function syntaxErrorReason(error: unknown): string {
  const message = error instanceof Error ? error.message : "";
  return message.replace(/,?\s*(\.\.\.)?".*"(\.\.\.)?/s, "").slice(0, 200);
}

/** Tells whether JSON is nested deeper than so many levels. Strings, which are nearly all of a body, are leapt over. */
function isDeeperThan(json: string, limit: number): boolean {
  let depth = 0;
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at);
    if (code === QUOTE) at = findStringEnd(json, at);
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) depth++;
    else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) depth--;
    if (depth > limit) return true;
  }
  return false;
}

/** Finds the quote that ends the string that begins at a quote. */
function findStringEnd(json: string, start: number): number {
  for (let end = json.indexOf('"', start + 1); end >= 0; end = json.indexOf('"', end + 1)) {
    let before = end - 1;
    while (json.charCodeAt(before) === BACKSLASH) before--;
    if ((end - before) % 2 === 1) return end;
  }
  return json.length;
}

const QUOTE = 34;
const OPEN_BRACKET = 91;
const BACKSLASH = 92;
const CLOSE_BRACKET = 93;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;

/**
 * Finds a number in parsed JSON that is too large to be one, such as `1e999`: written out again it would be `null`.
 * Gives the steps to it, the last first, or `undefined` where there is none.
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
