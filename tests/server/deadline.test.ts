import assert from "node:assert/strict";
import { test } from "node:test";
import { createShutdown } from "../../lib/runtime/shutdown.ts";
import { startDeadline } from "../../lib/server/deadline.ts";
import { FakeClock } from "../kit/clock.ts";

/** A shutdown that counts its listeners. */
function createCountingShutdown(clock: FakeClock, ms: number) {
  const shutdown = createShutdown(clock, ms);
  let listeners = 0;
  return {
    start: () => void (shutdown.track(), shutdown.start()),
    count: () => listeners,
    onDeadline(listener: Parameters<typeof shutdown.onDeadline>[0]) {
      const remove = shutdown.onDeadline(listener);
      listeners++;
      return () => {
        remove();
        listeners--;
      };
    },
  };
}

test("startDeadline() leaves no timer and no listener behind once it is stopped", () => {
  const clock = new FakeClock();
  const shutdown = createCountingShutdown(clock, 0);
  const client = new AbortController();
  const removed: string[] = [];
  const { signal } = client;
  const remove = signal.removeEventListener.bind(signal);
  signal.removeEventListener = (type: string, listener: EventListener) => {
    removed.push(type);
    remove(type, listener);
  };
  const deadline = startDeadline(signal, { clock, shutdown }, 1000);
  assert.deepEqual([clock.waiting, shutdown.count(), removed], [1, 1, []]);
  deadline.stop();
  assert.deepEqual([clock.waiting, shutdown.count(), removed], [0, 0, ["abort"]]);
});

test("startDeadline() aborts for the time limit, the shutdown, the client or the request's end", () => {
  const reasons = new Map<string, unknown>();
  for (const why of ["time limit", "shutdown", "client", "end"]) {
    const clock = new FakeClock();
    const shutdown = createCountingShutdown(clock, 5000);
    const client = new AbortController();
    const deadline = startDeadline(client.signal, { clock, shutdown }, why === "time limit" ? 4000 : 0);
    assert.equal(deadline.signal.aborted, false);
    if (why === "shutdown") shutdown.start();
    if (why === "client") client.abort("any value");
    if (why === "end") deadline.stop();
    clock.advance(5000);
    reasons.set(why, deadline.signal.reason);
  }
  assert.deepEqual([...reasons].map(([why, reason]) => [why, String(reason)]), [
    ["time limit", "ApiError: Cannot finish the answer: it took longer than 4 s"],
    ["shutdown", "ApiError: Cannot finish the answer: the gateway is shutting down"],
    ["client", "AbortError: The client disconnected"],
    ["end", "AbortError: The request has ended"],
  ]);
});
