import { toResponse, toUpstreamResponse, type UpstreamResponse } from "./transport.ts";

/** Formats of `DecompressionStream` by the names of content encodings. Deno has `brotli`; Node has a stream for it. */
const FORMATS: ReadonlyMap<string, string> = new Map([
  ["gzip", "gzip"],
  ["x-gzip", "gzip"],
  ["deflate", "deflate"],
  ["br", "brotli"],
]);

/**
 * Decodes the body of a response on Node, and on Deno, whose `fetch` decodes none if the request has a header
 * `accept-encoding`.
 *
 * Some upstreams compress answers although the gateway asks for none. Bun decodes them in any case. A response in an
 * unknown encoding is returned unchanged.
 */
export function decodeBody(response: Response): Response {
  const encoding = response.headers.get("content-encoding");
  if (encoding === null) return response;
  const encodings = encoding.toLowerCase().split(",")
    .map((name) => name.trim()).filter((name) => name !== "" && name !== "identity");
  const formats = encodings.map((name) => FORMATS.get(name));
  if (response.body === null || formats.length === 0 || formats.includes(undefined)) return response;
  const headers = new Headers(response.headers);
  headers.delete("content-encoding");
  headers.delete("content-length");
  let body: ReadableStream<Uint8Array> = response.body;
  for (const format of formats.reverse()) body = body.pipeThrough(createDecoder(String(format)));
  const { status, statusText } = response;
  return new Response(body, { status, statusText, headers });
}

/** Decodes the body of a response that was read without a web-standard one, as {@linkcode decodeBody} does. */
export function decodeResponse(response: UpstreamResponse): UpstreamResponse {
  return response.headers.has("content-encoding")
    ? toUpstreamResponse(decodeBody(toResponse(response)))
    : response;
}

// The global of Deno, undefined on other runtimes.
declare const Deno: unknown;

function createDecoder(format: string): ReadableWritablePair<Uint8Array, Uint8Array> {
  // The types of the libraries lack `brotli`, and differ in the buffers of their bytes.
  const decoder: unknown = format === "brotli" && typeof Deno === "undefined"
    ? createBrotliDecoder()
    : new DecompressionStream(format as CompressionFormat);
  return decoder as ReadableWritablePair<Uint8Array, Uint8Array>;
}

function createBrotliDecoder() {
  const { createBrotliDecompress } = process.getBuiltinModule("node:zlib");
  return process.getBuiltinModule("node:stream").Duplex.toWeb(createBrotliDecompress());
}
