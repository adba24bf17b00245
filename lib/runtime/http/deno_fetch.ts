import { BufferedReader, type ByteReader } from "./buffered_reader.ts";
import { decodeBody } from "./decode_body.ts";
import { toUpstreamResponse, withTransport } from "./transport.ts";

/**
 * Creates a `fetch` for Deno: its own, with compressed bodies decoded. Bodies of upstreams are read through buffers
 * that are used again.
 */
export function createDenoFetch(): typeof fetch {
  const network: typeof fetch = async (input, init) => decodeBody(await fetch(input, init));
  return withTransport(
    network,
    async (url, init) => toUpstreamResponse(await network(url, init), openReader),
  );
}

/**
 * Returns the only reader of a body.
 *
 * The streams of Deno's sockets allocate 64 KiB for each read that brings no buffer, however few bytes it returns, and
 * V8 then collects garbage all the time. Such a stream is read with a {@linkcode BufferedReader}. It responds to a read
 * that waits while it ends, which other byte streams may not do.
 */
function openReader(body: ReadableStream<Uint8Array>): ByteReader {
  try {
    return new BufferedReader(body.getReader({ mode: "byob" }));
  } catch {
    return body.getReader(); // a body that was compressed
  }
}
