import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { StreamEvent } from "../../lib/anthropic/events.ts";
import { toApiError, toErrorBody } from "../../lib/base/errors.ts";
import { writeEvents } from "../../lib/server/write_events.ts";
import { toBytes } from "../kit/bytes.ts";
import { FakeClock } from "../kit/clock.ts";
import { createTestGateway } from "../kit/gateway.ts";
import { API_SETTINGS, minimalRequest, UPSTREAM_APIS } from "../kit/requests/request.ts";
import { COMPLETE_STREAMS, writeEvent } from "../kit/streams.ts";

const INTERVAL_MS = 10_000;

test("writeEvents() sends a ping one interval after the last byte, at any time", async () => {
  for (const silenceBefore of [0, 1, 4_000, INTERVAL_MS - 1]) {
    const clock = new FakeClock();
    let release = (_events: StreamEvent[]) => {};
    const batches = async function* () {
      while (true) yield await new Promise<StreamEvent[]>((resolve) => release = resolve);
    };
    const body = writeEvents(batches(), {
      clock,
      client: new AbortController().signal,
      pingIntervalMs: INTERVAL_MS,
      toErrorBody: (error) => toErrorBody(toApiError(error), "req_1"),
      onEnd() {},
    });
    const reader = body.getReader();
    const read = async () => new TextDecoder().decode((await reader.read()).value);
    const first = read();
    await setImmediate();
    clock.advance(silenceBefore);
    release([{ type: "content_block_stop", index: 0 }]);
    assert.match(await first, /content_block_stop/);
    const second = read();
    await setImmediate();
    let pinged = false;
    void second.then(() => pinged = true);
    clock.advance(INTERVAL_MS - 1);
    await setImmediate();
    assert.equal(pinged, false, `too early after ${silenceBefore} ms`);
    clock.advance(1);
    assert.match(await second, /"ping"/);
    const cancelled = reader.cancel();
    release([]);
    await cancelled;
    assert.equal(clock.waiting, 0, "no timer is left");
  }
});

for (const api of UPSTREAM_APIS) {
  test(`POST /v1/messages reads an upstream only as its client reads (${api})`, async () => {
    const [start = "", ...rest] = COMPLETE_STREAMS[api].split(/(?<=\n\n)/);
    const delta = api === "native"
      ? writeEvent({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Hi" } })
      : start;
    const head = api === "native" ? start + (rest[0] ?? "") : start;
    let pulled = 0;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(toBytes(pulled++ === 0 ? head : delta.repeat(100))),
    }, { highWaterMark: 0 });
    const gateway = createTestGateway({ settings: API_SETTINGS[api], upstream: { body } });
    const response = await gateway.post(minimalRequest(api, { stream: true }));
    const reader = response.body?.getReader();
    for (let reads = 1; reads <= 5; reads++) {
      await reader?.read();
      for (let turn = 0; turn < 20; turn++) await setImmediate();
      assert.ok(pulled <= reads + 2, `${pulled} reads of the upstream after ${reads} of the client`);
    }
    await reader?.cancel();
    assert.equal(gateway.upstream.idle, true);
  });
}
