import assert from "node:assert/strict";
import { test } from "node:test";
import { MODEL_APIS } from "./model.ts";
import { runCalls } from "./run_calls.ts";
import { COMMANDS, FAILING_COMMANDS, whyNoSandbox } from "./shell.ts";
import { withToolGateway } from "./tool_gateway.ts";

const skip = await whyNoSandbox();
if (skip !== undefined) console.log(`commands through the API: skipped: ${skip}`);

for (const api of MODEL_APIS) {
  for (const streamed of [false, true]) {
    test(
      `TOOLS=shell runs commands, ${api.name}, ${streamed ? "streamed" : "whole"}`,
      { skip },
      () =>
        withToolGateway({ TOOLS: "shell" }, async (gateway) => {
          await runCalls(gateway, [COMMANDS, FAILING_COMMANDS], { api, streamed });
          assert.equal(gateway.read("hum.txt"), "zum zum\n");
        }),
    );
  }
}
