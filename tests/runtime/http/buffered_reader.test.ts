import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener, type ServerResponse } from "node:http";
import { test } from "node:test";
import { BufferedReader, openReader } from "../../../lib/runtime/http/buffered_reader.ts";
import { takeSource } from "../../../lib/runtime/http/byte_source.ts";
import { createFetch } from "../../../lib/runtime/http/fetch.ts";
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
function toByteStream(
  pieces: readonly Uint8Array[],
  end: "close" | "close without a response" | "fail" | "wait" = "close",
) {
  const rest = pieces.map((piece) => piece.slice());
  return new ReadableStream({
    type: "bytes",
    async pull(controller) {
      const piece = rest.shift();
      if (piece !== undefined) return controller.enqueue(piece);
      if (end === "wait") return await new Promise<void>(() => {});
      if (end === "fail") return controller.error(new Error("it broke off"));
      controller.close();
      if (end === "close") controller.byobRequest?.respond(0);
    },
  });
}

const readerOf = (stream: ReadableStream) => new BufferedReader(stream.getReader({ mode: "byob" }));

test("BufferedReader reads pieces of any size, and keeps none of them in its buffer", async () => {
  for (const sizes of [[1, 2, 3], [4095, 4096, 4097], [70_000, 1, 70_000], [300_000], []]) {
    for (const end of ["close", "close without a response"] as const) {
      const pieces = sizes.map(createBytes);
      const reader = readerOf(toByteStream(pieces, end));
      const read: Uint8Array[] = [];
      for (let next = await reader.read(); !next.done; next = await reader.read()) read.push(next.value);
      assertSame(Buffer.concat(read), Buffer.concat(pieces));
    }
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

test("openReader() reads any stream", async () => {
  for (const stream of [toByteStream([createBytes(5)]), new Response(createBytes(5)).body]) {
    assert.ok(stream !== null);
    const reader = openReader(stream);
    assert.deepEqual((await reader.read()).value, createBytes(5));
    assert.equal((await reader.read()).done, true);
    assert.throws(() => openReader(stream), TypeError);
  }
});

/** Runs an upstream, and asks it by the gateway's own `fetch`. */
async function withUpstream(
  listener: RequestListener,
  use: (ask: (init?: RequestInit) => Promise<Response>) => Promise<void>,
): Promise<void> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const fetch = createFetch({ connectTimeout: 10 });
  try {
    await use((init) => fetch(`http://127.0.0.1:${toPort(server)}/`, init));
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

function sourceOf({ body }: Response) {
  assert.ok(body !== null);
  return takeSource(body);
}

/** Reads a source up to its end, or to a number of bytes. */
async function readAll(source: ReturnType<typeof takeSource>, most = Infinity): Promise<Uint8Array> {
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
      assertSame(await readAll(sourceOf(await ask())), bytes);
    });
  });
}

test("a source whose reader begins late is read completely", async () => {
  const bytes = createBytes(8_000_000);
  await withUpstream((_request, response) => response.end(bytes), async (ask) => {
    const late = await ask();
    assertSame(await readAll(sourceOf(await ask())), bytes);
    assertSame(await readAll(sourceOf(late)), bytes);
  });
});

test("a source fails if the upstream breaks off", async () => {
  await withUpstream((_request, response) => {
    response.write("begun", () => response.destroy());
  }, async (ask) => {
    await assert.rejects(ask().then((response) => readAll(sourceOf(response))));
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
      const source = sourceOf(await ask({ signal: controller.signal }));
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
      const response = await ask({ headers: { "x-seed": String(seed) } });
      assertSame(await readAll(sourceOf(response)), createBytes(5000 + seed).subarray(seed));
    }));
  });
});
