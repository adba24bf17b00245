import assert from "node:assert/strict";
import { test } from "node:test";
import { ListenError, serve } from "../../../lib/runtime/http/serve.ts";

const LOCAL = { port: 0, host: "127.0.0.1" };

test("serve() answers at the address that it returns", async () => {
  const server = await serve(
    { fetch: async (request) => new Response(new URL(request.url).pathname) },
    LOCAL,
  );
  assert.equal(server.url, `http://127.0.0.1:${server.port}`);
  assert.equal(await textOf(`${server.url}/a/b`), "/a/b");
  await server.stop();
});

for (const [host, url] of [["0.0.0.0", "http://127.0.0.1:"], ["localhost", "http://localhost:"]] as const) {
  test(`serve() on ${host} returns an address that a client can use`, async () => {
    const server = await serve({ fetch: async () => new Response("here") }, { port: 0, host });
    assert.ok(server.url.startsWith(url), server.url);
    assert.equal(await textOf(server.url), "here");
    await server.stop();
  });
}

test("serve() throws with address and reason if it cannot listen", async () => {
  // An address reserved for documentation: no machine has it.
  const message = 'Cannot listen on "203.0.113.7:0": this machine has no such address';
  await assert.rejects(
    serve({ fetch: async () => new Response() }, { port: 0, host: "203.0.113.7" }),
    (error) => {
      return error instanceof ListenError && error.message === message;
    },
  );
});

test("stop() waits for an open stream and accepts no new request", async () => {
  const { body, write, end } = slowBody();
  const server = await serve({ fetch: async () => new Response(body) }, LOCAL);
  write("first"); // Bun sends the headers with the first bytes
  const reader = (await fetch(server.url)).body?.getReader();
  assert.equal(decode((await reader?.read())?.value), "first");

  const stopped = server.stop();
  await assert.rejects(fetch(server.url, { headers: { connection: "close" } }));
  write("last");
  assert.equal(decode((await reader?.read())?.value), "last");
  end();
  assert.equal((await reader?.read())?.done, true);
  await stopped;
});

test("stop() waits no longer than its timeout", async () => {
  const { body, write, end } = slowBody();
  const server = await serve({ fetch: async () => new Response(body) }, LOCAL);
  write("first"); // Bun sends the headers with the first bytes
  const reader = (await fetch(server.url)).body?.getReader();
  await reader?.read();
  await server.stop();
  // The end of the stream depends on the runtime. The test is that stop() returns while it is open.
  end();
  await reader?.read().catch(() => {});
});

async function textOf(url: string): Promise<string> {
  return (await fetch(url, { headers: { connection: "close" } })).text();
}

function slowBody() {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  let open = true;
  const body = new ReadableStream<Uint8Array>({
    start: (given) => void (controller = given),
    cancel: () => void (open = false),
  });
  return {
    body,
    write: (text: string) => controller?.enqueue(new TextEncoder().encode(text)),
    end: () => open && controller?.close(),
  };
}

function decode(bytes: Uint8Array | undefined): string {
  return new TextDecoder().decode(bytes);
}
