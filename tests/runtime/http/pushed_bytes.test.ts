import assert from "node:assert/strict";
import { test } from "node:test";
import { PushedBytes } from "../../../lib/runtime/http/pushed_bytes.ts";

/** A body whose connection notes what it is told. */
class NotedBytes extends PushedBytes {
  readonly notes: string[] = [];

  push(size: number): void {
    this.add(new Uint8Array(size));
  }
  finish(failure?: Error): void {
    this.end(failure);
  }
  protected pause(): void {
    this.notes.push("pause");
  }
  protected resume(): void {
    this.notes.push("resume");
  }
  protected close(reason: unknown): void {
    this.notes.push(`close ${reason}`);
  }
}

test("a read of pushed bytes returns all that have arrived", async () => {
  const bytes = new NotedBytes();
  assert.equal(bytes.poll(), undefined);
  const waits = [bytes.ready(), bytes.ready()];
  bytes.push(2);
  bytes.push(3);
  await Promise.all(waits);
  assert.equal(bytes.poll()?.value?.byteLength, 5);
  assert.equal(bytes.poll(), undefined);
  bytes.finish();
  assert.deepEqual(bytes.poll(), { done: true, value: undefined });
});

test("bytes or an end that have come before a wait end it at once", async () => {
  const bytes = new NotedBytes();
  bytes.push(1);
  await bytes.ready();
  assert.equal(bytes.poll()?.value?.byteLength, 1);
  bytes.finish();
  await bytes.ready();
  assert.equal(bytes.poll()?.done, true);
});

test("a connection that pushes more than 64 KiB is paused until a read", () => {
  const bytes = new NotedBytes();
  bytes.push(64 * 1024);
  assert.deepEqual(bytes.notes, []);
  bytes.push(1);
  bytes.push(1);
  assert.deepEqual(bytes.notes, ["pause"]);
  bytes.poll();
  assert.deepEqual(bytes.notes, ["pause", "resume"]);
});

test("a body fails after the bytes that have arrived, and only its first end counts", () => {
  const bytes = new NotedBytes();
  bytes.push(1);
  bytes.finish(new Error("cut"));
  bytes.finish();
  bytes.push(1);
  assert.equal(bytes.poll()?.value?.byteLength, 1);
  assert.throws(() => bytes.poll(), /cut/);
});

test("a cancelled body drops its bytes, closes the connection and has ended", async () => {
  const bytes = new NotedBytes();
  bytes.push(1);
  const wait = bytes.ready();
  await bytes.cancel("left");
  await wait;
  bytes.finish(new Error("aborted"));
  assert.deepEqual(bytes.notes, ["close left"]);
  assert.deepEqual(bytes.poll(), { done: true, value: undefined });
});
