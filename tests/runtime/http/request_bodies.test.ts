import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { type BodyReader, bodyReaderOf } from "../../../lib/runtime/http/direct_request.ts";
import { serve } from "../../../lib/runtime/http/serve.ts";

/** Starts a server whose handler receives the body's reader, and runs a function with a connection to it. */
async function withServer(
  answer: (reader: BodyReader) => Promise<string>,
  use: (socket: Socket, url: string) => Promise<void>,
): Promise<void> {
  const server = await serve({
    async fetch(request) {
      const reader = bodyReaderOf(request);
      return new Response(reader === undefined ? "no body" : await answer(reader));
    },
  }, { port: 0, host: "127.0.0.1" });
  const socket = connect(server.port, "127.0.0.1").setEncoding("latin1");
  try {
    await use(socket, server.url);
  } finally {
    socket.destroy();
    await server.stop();
  }
}

async function readAll(reader: BodyReader): Promise<string> {
  let text = "";
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    text += new TextDecoder("latin1").decode(read.value);
  }
  return `${text.length} ${text.slice(-6)}.`;
}

/** Reads an answer up to a text. */
async function receive(socket: Socket, end: string): Promise<string> {
  return await new Promise((resolve) => {
    let text = "";
    socket.on("data", function add(piece) {
      text += piece;
      if (!text.includes(end)) return;
      socket.off("data", add);
      resolve(text);
    });
  });
}

const head = (length: number) => `POST / HTTP/1.1\r\nhost: a\r\ncontent-length: ${length}\r\n\r\n`;

for (const length of [0, 6, 64 * 1024, 64 * 1024 + 1, 3_000_000]) {
  test(`a request of ${length} bytes is read up to its end, and the next one after it`, async () => {
    const body = "a".repeat(length);
    await withServer(readAll, async (_socket, url) => {
      for (const _nth of [1, 2]) {
        const response = await fetch(url, { method: "POST", body });
        assert.equal(await response.text(), `${length} ${body.slice(-6)}.`);
      }
    });
  });
}

test("a request that arrives piece by piece is read", async () => {
  await withServer(readAll, async (socket) => {
    socket.write(head(6));
    for (const piece of ["ab", "cd", "ef"]) {
      await new Promise((resolve) => socket.write(piece, resolve));
    }
    assert.match(await receive(socket, "."), /6 abcdef\./);
  });
});

test("bytes after the stated length do not belong to the body", async () => {
  await withServer(readAll, async (socket) => {
    socket.write(`${head(6)}abcdef${head(3)}ghi`);
    assert.match(await receive(socket, "3 ghi."), /6 abcdef\./);
  });
});

for (const length of [600, 70_000]) {
  test(`a read of ${length} bytes that waits is ended by the release of the reader`, async () => {
    const read = (reader: BodyReader) => {
      const pending = reader.read().then(() => "read.", () => "released.");
      reader.releaseLock();
      return pending;
    };
    await withServer(read, async (socket) => {
      socket.write(head(length));
      assert.match(await receive(socket, "."), /released\./);
    });
  });
}

test("a read that waits fails if the client disconnects", async () => {
  let onRead = (_outcome: string) => {};
  let onStart = () => {};
  const outcome = new Promise<string>((resolve) => onRead = resolve);
  const started = new Promise<void>((resolve) => onStart = resolve);
  const read = async (reader: BodyReader) => {
    onStart();
    onRead(await readAll(reader).then((text) => text, () => "failed"));
    return "";
  };
  await withServer(read, async (socket) => {
    socket.write(`${head(600)}abc`);
    await started;
    socket.destroy();
    assert.equal(await outcome, "failed");
  });
});
