import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener, type ServerResponse } from "node:http";
import { test } from "node:test";
import { BufferedReader } from "../../../lib/runtime/http/buffered_reader.ts";
import type { ByteSource } from "../../../lib/runtime/http/byte_source.ts";
import { createFetch } from "../../../lib/runtime/http/fetch.ts";
import { transportOf } from "../../../lib/runtime/http/transport.ts";
import { toPort } from "../../kit/servers/sockets.ts";

/** Returns bytes of which no two neighbouring parts of some hundred are equal. */
function createBytes(size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at++) bytes[at] = at * 31 + (at >> 8) * 7;
  return bytes;
}

function assertSame(one: Uint8Array, other: Uint8Array): void {
  assert.equal(one.byteLength, other.byteLength);
  assert.equal(Buffer.compare(one, other), 0);
}

/** Returns a byte stream of pieces, as the streams of Deno's sockets are. */
function toByteStream(pieces: readonly Uint8Array[], end: "close" | "fail" | "wait" = "close") {
  const rest = pieces.map((piece) => piece.slice());
  return new ReadableStream({
    type: "bytes",
    async pull(controller) {
      const piece = rest.shift();
      if (piece !== undefined) return controller.enqueue(piece);
      if (end === "wait") return await new Promise<void>(() => {});
      if (end === "fail") return controller.error(new Error("it broke off"));
      controller.close();
      controller.byobRequest?.respond(0);
    },
  });
}

const readerOf = (stream: ReadableStream) => new BufferedReader(stream.getReader({ mode: "byob" }));

test("BufferedReader reads pieces of any size, and keeps none of them in its buffer", async () => {
  for (const sizes of [[1, 2, 3], [4095, 4096, 4097], [70_000, 1, 70_000], [300_000], []]) {
    const pieces = sizes.map(createBytes);
    const reader = readerOf(toByteStream(pieces));
    const read: Uint8Array[] = [];
    for (let next = await reader.read(); !next.done; next = await reader.read()) read.push(next.value);
    assert.ok(read.every(({ buffer }) => buffer.byteLength <= 64 * 1024));
    assertSame(Buffer.concat(read), Buffer.concat(pieces));
  }
});

test("BufferedReader fails as its stream does, and ends with it", async () => {
  const failing = readerOf(toByteStream([createBytes(3)], "fail"));
  assert.deepEqual((await failing.read()).value, createBytes(3));
  await assert.rejects(failing.read(), /it broke off/);

  const released = readerOf(toByteStream([], "wait"));
  const read = released.read();
  released.releaseLock();
  await assert.rejects(read, TypeError);

  const cancelled = readerOf(toByteStream([], "wait"));
  const waiting = cancelled.read();
  await cancelled.cancel("left");
  assert.equal((await waiting).done, true);
});

/** Runs an upstream, and asks it by the gateway's own `fetch`. */
async function withUpstream(
  listener: RequestListener,
  use: (ask: (init?: RequestInit) => Promise<ByteSource>) => Promise<void>,
): Promise<void> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const transport = transportOf(createFetch({ connectTimeout: 10 }));
  try {
    await use(async (init = {}) => {
      const { body } = await transport(`http://127.0.0.1:${toPort(server)}/`, init);
      assert.ok(body !== undefined);
      return body;
    });
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** Reads a source up to its end, or to a number of bytes. */
async function readAll(source: ByteSource, most = Infinity): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  while (size < most) {
    const read = source.poll();
    if (read === undefined) await source.ready();
    else if (read.done) break;
    else {
      pieces.push(read.value);
      size += read.value.byteLength;
    }
  }
  return Buffer.concat(pieces);
}

/** Writes bytes as HTTP chunks of a size, as fast as the client reads. */
async function writeChunks(response: ServerResponse, bytes: Uint8Array, size: number): Promise<void> {
  for (let at = 0; at < bytes.length; at += size) {
    if (!response.write(bytes.subarray(at, at + size))) await once(response, "drain");
  }
  response.end();
}

for (const size of [1, 37, 5000, 1_000_000]) {
  test(`the source of an upstream's body has its bytes, in chunks of ${size}`, async () => {
    const bytes = createBytes(Math.min(2000 * size, 3_000_000));
    await withUpstream((_request, response) => void writeChunks(response, bytes, size), async (ask) => {
      assertSame(await readAll(await ask()), bytes);
    });
  });
}

test("a source whose reader begins late is read completely", async () => {
  const bytes = createBytes(8_000_000);
  await withUpstream((_request, response) => response.end(bytes), async (ask) => {
    const late = await ask();
    assertSame(await readAll(await ask()), bytes);
    assertSame(await readAll(late), bytes);
  });
});

test("a source fails if the upstream breaks off", async () => {
  await withUpstream((_request, response) => {
    response.write("begun", () => response.destroy());
  }, async (ask) => {
    await assert.rejects(ask().then((source) => readAll(source)));
  });
});

test("a source that waits ends, and its connection too, if it is cancelled or its request aborted", async () => {
  for (const how of ["cancel", "abort"]) {
    let onClose = () => {};
    const closed = new Promise<void>((resolve) => onClose = resolve);
    await withUpstream((_request, response) => {
      response.on("close", onClose);
      response.write("begun");
    }, async (ask) => {
      const controller = new AbortController();
      const source = await ask({ signal: controller.signal });
      assert.equal(new TextDecoder().decode(await readAll(source, 5)), "begun");
      const waiting = source.ready();
      if (how === "cancel") await source.cancel("left");
      else controller.abort(new Error("left"));
      await waiting;
      if (how === "cancel") assert.equal(source.poll()?.done, true);
      else assert.throws(() => source.poll());
      await closed;
    });
  }
});

test("200 sources at once have the bytes of their upstreams", async () => {
  await withUpstream((request, response) => {
    const seed = Number(request.headers["x-seed"]);
    void writeChunks(response, createBytes(5000 + seed).subarray(seed), 100);
  }, async (ask) => {
    await Promise.all(Array.from({ length: 200 }, async (_, seed) => {
      const source = await ask({ headers: { "x-seed": String(seed) } });
      assertSame(await readAll(source), createBytes(5000 + seed).subarray(seed));
    }));
  });
});
