import assert from "node:assert/strict";
import { createServer } from "node:net";
import { once } from "node:events";
import { test } from "node:test";
import { createFetch, readFailureCode, toConnectError } from "../../../lib/runtime/http/fetch.ts";
import { toPort } from "../../kit/servers/sockets.ts";

/** Failures as Deno's `fetch` throws them. */
const DENO_FAILURES: [reason: string, code: string | undefined][] = [
  ["client error (Connect): tcp connect error: Connection refused (os error 111)", "ECONNREFUSED"],
  ["client error (Connect): dns error: failed to lookup address information", "ENOTFOUND"],
  ["client error (Connect): tcp connect error: No route to host (os error 113)", "EHOSTUNREACH"],
  ["client error (Connect): tcp connect error: Network is unreachable (os error 101)", "ENETUNREACH"],
  ["client error (Connect): invalid peer certificate: UnknownIssuer", undefined],
];

for (const [reason, code] of DENO_FAILURES) {
  test(`toConnectError() reads ${code ?? "no code"} from "${reason}"`, () => {
    const cause = new Error(`error sending request for url (http://127.0.0.1:9/): ${reason}`);
    const { error, connected } = toConnectError(new TypeError("fetch failed", { cause }), "local");
    assert.equal(error.message, `Cannot reach upstream "local": ${code ?? "the connection failed"}`);
    assert.equal(connected, false);
  });
}

test("toConnectError() reads no code from another failure with such words", () => {
  const { error, connected } = toConnectError(new Error("Connection refused by the reader"), "local");
  assert.equal(error.message, 'Cannot reach upstream "local": the connection failed');
  assert.equal(connected, true);
});

test("readFailureCode() returns ECONNREFUSED for a port on which no server listens", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const port = toPort(server);
  server.close();
  await once(server, "close");
  const failure = await createFetch({ connectTimeout: 10 })(`http://127.0.0.1:${port}/`).catch((error) =>
    error
  );
  assert.equal(readFailureCode(failure), "ECONNREFUSED");
});
