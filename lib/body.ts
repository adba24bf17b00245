import { ApiError } from "./errors.ts";

/** The largest body a client may send, in bytes. Source: https://platform.claude.com/docs/en/api/errors */
const MAX_BODY = 32 * 1024 * 1024;

/**
 * Reads the JSON of a request.
 *
 * @throws {ApiError} `request_too_large` past 32 MiB, `invalid_request_error` if it is no UTF-8 or no JSON.
 */
export async function readJson(request: Request): Promise<unknown> {
  const text = await readBody(request);
  try {
    return JSON.parse(text);
  } catch (cause) {
    const where = text.trim() === "" ? "it is empty" : cause instanceof Error ? cause.message : "unreadable";
    throw new ApiError("invalid_request_error", `The request body is not valid JSON: ${where.slice(0, 200)}`);
  }
}

async function readBody(request: Request): Promise<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  let size = 0;
  try {
    for await (const bytes of request.body ?? []) {
      size += bytes.byteLength;
      if (size > MAX_BODY) {
        throw new ApiError("request_too_large", "Request exceeds the maximum size of 32 MiB");
      }
      text += decoder.decode(bytes, { stream: true });
    }
    return text + decoder.decode();
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new ApiError("invalid_request_error", "The request body is not valid UTF-8", { cause });
  }
}
