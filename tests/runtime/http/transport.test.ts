import assert from "node:assert/strict";
import { test } from "node:test";
import type { ByteSource } from "../../../lib/runtime/http/byte_source.ts";
import { toFetch, type Transport, transportOf } from "../../../lib/runtime/http/transport.ts";

const URL_OF_UPSTREAM = "http://upstream.test/v1";

function createBody(text: string): ByteSource {
  let value: Uint8Array | undefined = new TextEncoder().encode(text);
  return {
    poll() {
      const read: ReadableStreamReadResult<Uint8Array> = value === undefined
        ? { done: true, value }
        : { done: false, value };
      value = undefined;
      return read;
    },
    ready: () => Promise.resolve(),
    cancel: () => Promise.resolve(),
  };
}

test("toFetch() returns web-standard responses, and transportOf() the transport itself", async () => {
  const urls: string[] = [];
  const transport: Transport = (url) => {
    urls.push(url);
    return Promise.resolve({ status: 201, headers: new Headers({ a: "b" }), body: createBody("text") });
  };
  const network = toFetch(transport);
  assert.equal(transportOf(network), transport);
  for (const input of [URL_OF_UPSTREAM, new URL(URL_OF_UPSTREAM), new Request(URL_OF_UPSTREAM)]) {
    const response = await network(input);
    assert.ok(response instanceof Response);
    assert.deepEqual([response.status, response.headers.get("a"), await response.text()], [201, "b", "text"]);
  }
  assert.deepEqual(urls, [URL_OF_UPSTREAM, URL_OF_UPSTREAM, URL_OF_UPSTREAM]);
});

test("toFetch() returns a response without a body", async () => {
  const network = toFetch(() => Promise.resolve({ status: 204, headers: new Headers(), body: undefined }));
  assert.equal((await network(URL_OF_UPSTREAM)).body, null);
});

test("transportOf() reads the responses of any fetch", async () => {
  const network: typeof fetch = (_input, init) =>
    Promise.resolve(new Response(init?.method === "POST" ? "text" : null, { status: 202 }));
  const transport = transportOf(network);
  assert.equal(transportOf(network), transport);
  const { status, body } = await transport(URL_OF_UPSTREAM, { method: "POST" });
  await body?.ready();
  assert.deepEqual([status, new TextDecoder().decode(body?.poll()?.value)], [202, "text"]);
  assert.equal((await transport(URL_OF_UPSTREAM, {})).body, undefined);
});
