import assert from "node:assert/strict";
import { test } from "node:test";
import * as mod from "../../mod.ts";

test("mod.ts exports createGateway() and PRESETS, and does not start a server when it is imported", async () => {
  assert.deepEqual(Object.keys(mod).sort(), ["PRESETS", "createGateway"]);
  const gateway = mod.createGateway({ settings: { LOG_LEVEL: "off" } });
  assert.equal((await gateway.fetch(new Request("http://gateway/health"))).status, 200);
});
