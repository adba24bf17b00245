import assert from "node:assert/strict";
import { test } from "node:test";
import { type ByteSource, toBody, toSource } from "../../../lib/runtime/http/byte_source.ts";

/** A source of two pieces, and the reason with which it was cancelled. */
function createSource(): ByteSource & { reason?: unknown } {
  const pieces = [Uint8Array.of(1), Uint8Array.of(2)];
  return {
    poll() {
      const value = pieces.shift();
      return value === undefined ? { done: true, value } : { done: false, value };
    },
    ready: async () => {},
    async cancel(reason) {
      this.reason = reason;
    },
  };
}

test("toBody() is a stream of the source's bytes", async () => {
  const bytes = await new Response(toBody(createSource())).arrayBuffer();
  assert.deepEqual(new Uint8Array(bytes), Uint8Array.of(1, 2));
  const source = createSource();
  await toBody(source).cancel("left");
  assert.equal(source.reason, "left");
});

test("toBody() fails as its source does", async () => {
  const body = toBody({ ...createSource(), poll: () => assert.fail("broken") });
  await assert.rejects(new Response(body).text(), /broken/);
});

test("toSource() reads a stream", async () => {
  const { body } = new Response("text");
  assert.ok(body !== null);
  const source = toSource(body.getReader());
  assert.equal(source.poll(), undefined);
  await source.ready();
  assert.equal(new TextDecoder().decode(source.poll()?.value), "text");
  await source.ready();
  assert.equal(source.poll()?.done, true);
});
