import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { StreamEvent } from "../../lib/anthropic/events.ts";
import { toApiError, toErrorBody } from "../../lib/base/errors.ts";
import { writeEvents } from "../../lib/server/write_events.ts";
import { FakeClock } from "../kit/clock.ts";

const INTERVAL_MS = 10_000;

test("writeEvents() sends a ping one interval after the last byte, whenever that was sent", async () => {
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
