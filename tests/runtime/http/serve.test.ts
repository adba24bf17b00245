import assert from "node:assert/strict";
import { test } from "node:test";
import { serve } from "../../../lib/runtime/http/serve.ts";

/** A server of Deno that fails when `fail` is called. */
function fakeServer(port: number) {
  let resolve = () => {};
  let fail: (reason: unknown) => void = () => {};
  const finished = new Promise<void>((...both) => [resolve, fail] = both);
  const shutdown = () => (resolve(), finished);
  return { addr: { port }, finished, fail: (reason: unknown) => fail(reason), shutdown };
}

test("serve() listens again on the same port if Deno's server cannot accept a connection", async () => {
  const servers: ReturnType<typeof fakeServer>[] = [];
  const ports: number[] = [];
  let onAgain = () => {};
  const again = new Promise<void>((resolve) => onAgain = resolve);
  const fakeDeno = {
    serve({ port }: { port: number }) {
      ports.push(port);
      if (ports.length === 2) throw new Error("no file descriptor");
      const server = fakeServer(4000);
      servers.push(server);
      if (servers.length === 2) onAgain();
      return server;
    },
  };
  const kept = Object.getOwnPropertyDescriptor(globalThis, "Deno");
  Object.defineProperty(globalThis, "Deno", { value: fakeDeno, configurable: true });
  const errors: unknown[] = [];
  const starting = serve({ fetch: async () => new Response() }, {
    port: 0,
    host: "127.0.0.1",
    onAcceptError: (error) => errors.push(error),
  });
  if (kept) Object.defineProperty(globalThis, "Deno", kept);
  else Reflect.deleteProperty(globalThis, "Deno");

  const server = await starting;
  servers[0]?.fail("too many open files");
  await again;
  assert.deepEqual(ports, [0, 4000, 4000]);
  assert.deepEqual(errors, ["too many open files"]);
  assert.equal(server.port, 4000);
  await server.stop();
});
