import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestGateway } from "../../kit/gateway.ts";
import { LossReport } from "../../../lib/dialects/loss.ts";
import { toWellFormed } from "../../../lib/dialects/request/well_formed.ts";
import type { Json } from "../../kit/json.ts";
import { API_SETTINGS, minimalRequest, UPSTREAM_APIS } from "../../kit/requests/request.ts";

/** A lone surrogate as an escape in JSON, or as a character. */
const LONE = /\\ud[89a-f]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/i;
const HALF = "half \ud83d";
const input_schema = { type: "object", properties: { path: { type: "string", description: HALF } } };

/** Parts of a request with half a character, and the path that is reported. */
const CUT: readonly [fields: Json, path: string][] = [
  [{ system: HALF }, "system"],
  [{ system: [{ type: "text", text: HALF }] }, "system.0.text"],
  [{ tools: [{ name: "read", input_schema }] }, "tools.0.input_schema.properties.path.description"],
  [{ messages: [{ role: "user", content: "\udc1d whole \ud83d\udc1d" }] }, "messages.0.content"],
  [
    {
      messages: [
        { role: "user", content: "Hi" },
        {
          role: "assistant",
          content: [{ type: "tool_use", id: "toolu_1", name: "read", input: { path: HALF } }],
        },
        { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_1", content: HALF }] },
      ],
    },
    "messages.1.content.0.input.path",
  ],
  [
    {
      messages: [
        { role: "user", content: "Hi" },
        {
          role: "assistant",
          content: [{ type: "tool_use", id: "toolu_1", name: "read", input: { [HALF]: 1 } }],
        },
        { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_1", content: "a" }] },
      ],
    },
    "messages.1.content.0.input",
  ],
];

for (const api of UPSTREAM_APIS) {
  test(`POST /v1/messages sends well-formed texts and reports repaired ones (${api})`, async () => {
    for (const [fields, path] of CUT) {
      const { upstream, post } = createTestGateway({ settings: API_SETTINGS[api] });
      const response = await post(minimalRequest(api, fields));
      await response.body?.cancel();
      const body = String(upstream.requests[0]?.init.body);
      assert.doesNotMatch(body, LONE, path);
      assert.match(body, /\ufffd/, path);
      const loss = new LossReport();
      toWellFormed(minimalRequest(api, fields), loss);
      assert.ok(loss.entries.some(([at, action]) => at.startsWith(path) && action === "repaired"), path);
    }
  });
}
