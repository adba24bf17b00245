/** Formats of `DecompressionStream` by the names of content encodings. Deno has `brotli`, which other runtimes lack. */
const FORMATS: ReadonlyMap<string, string> = new Map([
  ["gzip", "gzip"],
  ["x-gzip", "gzip"],
  ["deflate", "deflate"],
  ["br", "brotli"],
]);

/**
 * Decodes the body of a response on Deno, whose `fetch` decodes none if the request has a header `accept-encoding`.
 *
 * Some upstreams compress answers although the gateway asks for none. Node and Bun decode them in any case. A response
 * in an unknown encoding is returned unchanged.
 */
export function decodeBody(response: Response): Response {
  const encodings = (response.headers.get("content-encoding") ?? "").toLowerCase().split(",")
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

function createDecoder(format: string): ReadableWritablePair<Uint8Array, Uint8Array> {
  // The types of the libraries lack `brotli`, and differ in the buffers of their bytes.
  return new DecompressionStream(format as CompressionFormat) as ReadableWritablePair<Uint8Array, Uint8Array>;
}
