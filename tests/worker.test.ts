import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError } from "../lib/config.ts";
import worker from "../lib/worker.ts";

const HEALTH = "http://gateway/health";

test("worker.fetch() tells what is wrong with its bindings, and serves once they are right", async () => {
  await assert.rejects(worker.fetch(new Request(HEALTH), { LOG_LEVEL: "off", PORT: "x" }), (error) => {
    assert.ok(error instanceof ConfigError);
    return error.mistakes.join() ===
      'Cannot use PORT "x" (settings): expected a whole number from 0 to 65535';
  });
  await assert.rejects(worker.fetch(new Request(HEALTH), { LOG_LEVEL: "off" }), (error) => {
    assert.ok(error instanceof ConfigError);
    return /^Cannot listen where the runtime chooses without keys: /.test(error.message);
  });
  await assert.rejects(worker.fetch(new Request(HEALTH), { GATEWAY_API_KEYS: "" }), (error) => {
    assert.ok(error instanceof ConfigError);
    return error.message === "Cannot use GATEWAY_API_KEYS (0 characters) (settings): key 1 is empty";
  });
  const response = await worker.fetch(new Request(HEALTH), {
    LOG_LEVEL: "off",
    OPEN_ACCESS: "on",
    PORT: "",
    HOST: 1,
    OTHER: {},
  });
  assert.equal(response.status, 200);
});

test("worker.fetch() takes whatever else a runtime hands over", async () => {
  for (const other of [undefined, null, "text", { remoteAddr: { hostname: "127.0.0.1" } }]) {
    assert.equal((await worker.fetch(new Request(HEALTH), other)).status, 200);
  }
});
