import assert from "node:assert/strict";
import { test } from "node:test";
import { OutputContract } from "../../lib/turns/structured/output_contract.ts";
import { checkMessage } from "../../lib/turns/structured/structured_message.ts";

const contract = new OutputContract("output_config.format", { type: "object", required: ["a"] });

const check = (texts: string[], stop_reason: string) =>
  checkMessage(
    {
      id: "msg_1",
      type: "message",
      role: "assistant",
      model: "m",
      content: texts.map((text) => ({ type: "text", text })),
      stop_reason,
      stop_sequence: null,
      usage: { input_tokens: 1, output_tokens: 1 },
    },
    contract,
    false,
  );

for (const reason of ["end_turn", "stop_sequence", "tool_use", "a_newer_reason"]) {
  test(`checkMessage() checks text that ends with ${reason}`, () => {
    assert.deepEqual(check(['{"b":1}'], reason).complaints?.map(({ path }) => path), ["/a"]);
    assert.equal(check(['{"a":1}'], reason).complaints, undefined);
  });
}

for (const reason of ["max_tokens", "model_context_window_exceeded", "refusal", "pause_turn"]) {
  test(`checkMessage() passes on text that ends with ${reason}`, () => {
    assert.deepEqual(check(["no"], reason), { content: [{ type: "text", text: "no" }] });
  });
}

test("checkMessage() removes blanks that JSON does not allow", () => {
  assert.deepEqual(check(['\ufeff{"a":1}\u00a0'], "end_turn"), {
    content: [{ type: "text", text: '{"a":1}' }],
  });
  assert.deepEqual(check([' {"a":1}\n'], "end_turn"), { content: [{ type: "text", text: ' {"a":1}\n' }] });
});
