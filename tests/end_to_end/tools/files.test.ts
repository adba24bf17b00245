import assert from "node:assert/strict";
import { test } from "node:test";
import { checkWritten, FORBIDDEN, layFiles, PIXEL, READING, WRITING } from "./files.ts";
import { MODEL_APIS } from "./model.ts";
import { runCalls } from "./run_calls.ts";
import { withToolGateway } from "./tool_gateway.ts";

for (const api of MODEL_APIS) {
  for (const streamed of [false, true]) {
    const how = `${api.name}, ${streamed ? "streamed" : "whole"}`;

    test(`TOOLS=files-read reads files, ${how}`, () =>
      withToolGateway({ TOOLS: "files-read" }, async (gateway) => {
        layFiles(gateway);
        await runCalls(gateway, [READING, FORBIDDEN], { api, streamed });
        // The client receives a placeholder for the image, the model receives the image.
        assert.ok(JSON.stringify(gateway.model.requests.at(-1)?.body).includes(PIXEL));
      }));

    test(`TOOLS=files-write writes files, ${how}`, () =>
      withToolGateway({ TOOLS: "files-read,files-write" }, async (gateway) => {
        layFiles(gateway);
        await runCalls(gateway, [READING, WRITING], { api, streamed });
        checkWritten(gateway);
      }));
  }
}
