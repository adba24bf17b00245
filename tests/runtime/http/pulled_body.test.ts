import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type BodySink,
  createDirectResponse,
  type PulledBody,
} from "../../../lib/runtime/http/direct_body.ts";
import { serve } from "../../../lib/runtime/http/serve.ts";
import { nextTask } from "../../../lib/runtime/next_task.ts";

/** A body of numbers, up to 9 or without an end. */
class Numbers implements PulledBody {
  readonly #isEndless: boolean;
  readonly #onCancel: () => void;
  #sink: BodySink | undefined;
  #next = 0;
  #hasArrived = false;
  ended = false;

  constructor(isEndless: boolean, onCancel = () => {}) {
    this.#isEndless = isEndless;
    this.#onCancel = onCancel;
  }

  start(sink: BodySink): void {
    this.#sink = sink;
  }

  write(): boolean {
    if (!this.#hasArrived) return false;
    this.#hasArrived = false;
    if (this.#isEndless || this.#next < 10) this.#sink?.write(`ü${this.#next++} `);
    else {
      this.ended = true;
      this.#sink?.close();
    }
    return true;
  }

  async ready(): Promise<void> {
    await nextTask();
    this.#hasArrived = true;
  }

  async cancel(): Promise<void> {
    this.ended = true;
    this.#onCancel();
  }
}

test("serve() sends a pulled body with its status and headers", async () => {
  const init = { status: 201, headers: { "content-type": "text/plain", "x-name": "v" } };
  const fetchBody = async () => createDirectResponse(new Numbers(false), init);
  const server = await serve({ fetch: fetchBody }, { port: 0, host: "127.0.0.1" });
  for (let nth = 0; nth < 3; nth++) {
    const response = await fetch(server.url);
    assert.deepEqual([response.status, response.headers.get("x-name")], [201, "v"]);
    assert.equal(await response.text(), "ü0 ü1 ü2 ü3 ü4 ü5 ü6 ü7 ü8 ü9 ");
  }
  await server.stop();
});

test("serve() cancels a pulled body if its client leaves", { timeout: 60_000 }, async () => {
  let onCancel = () => {};
  const cancelled = new Promise<void>((resolve) => onCancel = resolve);
  const fetchBody = async () => createDirectResponse(new Numbers(true, onCancel), {});
  const server = await serve({ fetch: fetchBody }, { port: 0, host: "127.0.0.1" });
  const client = new AbortController();
  const response = await fetch(server.url, { signal: client.signal });
  await response.body?.getReader().read();
  client.abort();
  await cancelled;
  await server.stop();
});
