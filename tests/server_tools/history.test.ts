import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { ContentBlock, Message } from "../../lib/anthropic/schema.ts";
import { findPendingCalls, toModelHistory } from "../../lib/server_tools/history.ts";
import { toModelCallId, toServerCallId } from "../../lib/server_tools/call_ids.ts";
import { toWorkspaceTool } from "../../lib/server_tools/workspace.ts";
import { createTestContext, createTestToolbox } from "./scripted_model.ts";

const offer = { name: "Echo", input_schema: { type: "object" as const } };
const echo = toWorkspaceTool({ definition: offer, path: "tools.0", deferred: false }, {
  toolbox: createTestToolbox().toolbox,
  toolContext: createTestContext(),
});
const find = (block: ContentBlock) => isOf(block, "mcp_tool_use") && block.name === "Echo" ? echo : undefined;

function isOf(block: { type: string }, type: string): boolean {
  return block.type === type;
}

/** Creates a block of a type that is not in the schema. */
function toBlock(block: { type: string; [field: string]: unknown }): ContentBlock {
  return { ...block, type: block.type as "(unknown)" };
}

const use = (id: string): ContentBlock =>
  toBlock({ type: "mcp_tool_use", id, name: "Echo", server_name: "workspace", input: { id } });
const result = (id: string): ContentBlock =>
  toBlock({
    type: "mcp_tool_result",
    tool_use_id: id,
    is_error: false,
    content: [{ type: "text", text: id }],
  });
const text = (sentence: string): ContentBlock => ({ type: "text", text: sentence });

/** A turn within a message of the assistant: text, calls, and results of all calls so far. */
const step = fc.record({
  sentence: fc.option(fc.string({ minLength: 1 })),
  calls: fc.integer({ min: 0, max: 3 }),
});
const turn = fc.array(step, { minLength: 1, maxLength: 4 });

test("toModelHistory() answers every call directly after it, keeps all text and the order", () => {
  fc.assert(fc.property(fc.array(turn, { maxLength: 4 }), (turns) => {
    let calls = 0;
    const messages = turns.flatMap((steps, at): Message[] => {
      const content = steps.flatMap(({ sentence, calls: count }) => {
        const ids = Array.from({ length: count }, () => `mcptoolu_${calls++}`);
        return [...(sentence === null ? [] : [text(sentence)]), ...ids.map(use), ...ids.map(result)];
      });
      return [{ role: "user", content: `Question ${at}` }, { role: "assistant", content }];
    });
    const { messages: modelHistory, toClientPath } = toModelHistory(messages, { find });

    modelHistory.forEach(({ role, content }, at) => {
      const toolUses = typeof content === "string" ? [] : content.filter(({ type }) => type === "tool_use");
      const next = modelHistory[at + 1]?.content ?? [];
      const answered = typeof next === "string" ? [] : next.filter(({ type }) => type === "tool_result");
      if (role !== "assistant" || toolUses.length === 0) return;
      assert.deepEqual(toolUses.map(({ id }) => id), answered.map(({ tool_use_id }) => tool_use_id));
    });
    const modelTexts = modelHistory.flatMap(({ content }) =>
      typeof content === "string" ? [content] : content.map(toWord)
    );
    const clientTexts = messages.flatMap(({ content }) =>
      typeof content === "string" ? [content] : content.map(toWord)
    );
    assert.deepEqual(modelTexts.filter((word) => word !== ""), clientTexts.filter((word) => word !== ""));

    // toClientPath() returns the position of every block in the client's messages.
    modelHistory.forEach(({ content }, at) => {
      if (typeof content === "string") return;
      content.forEach((block, nth) => {
        const path = toClientPath(`messages.${at}.content.${nth}`);
        const [, message, place] = /^messages\.(\d+)\.content(?:\.(\d+))?$/.exec(path ?? "") ?? [];
        const origin = messages[Number(message)]?.content ?? "";
        const expected = typeof origin === "string" ? text(origin) : origin[Number(place)];
        assert.equal(toWord(block), toWord(expected ?? text("")), `${path}`);
      });
    });
  }));

  function toWord(block: ContentBlock): string {
    const { text: sentence, id, tool_use_id, input }: { [field: string]: unknown } = { ...block };
    const call = String(id ?? tool_use_id ?? "").replace(/^(mcptoolu|toolu)_/, "");
    if (typeof sentence === "string") return sentence;
    return input === undefined ? `result ${call}` : `call ${call}`;
  }
});

test("toModelHistory() leaves messages without gateway calls unchanged", () => {
  const messages: Message[] = [
    { role: "user", content: "Hello" },
    {
      role: "assistant",
      content: [text("Hello."), toBlock({ type: "mcp_tool_use", id: "x", name: "Other" })],
    },
    { role: "system", content: "Be brief" },
  ];
  const { messages: modelHistory } = toModelHistory(messages, { find });
  modelHistory.forEach((message, at) => assert.equal(message, messages[at]));
});

test("toModelHistory() adds a result to a call without one", () => {
  const messages: Message[] = [
    { role: "user", content: "Go" },
    { role: "assistant", content: [use("mcptoolu_1"), text("Well.")] },
    { role: "user", content: "And?" },
  ];
  const { messages: modelHistory } = toModelHistory(messages, { find });
  assert.deepEqual(modelHistory.at(-1)?.content, [
    {
      type: "tool_result",
      tool_use_id: "toolu_1",
      content: "No result was given for this call",
      is_error: true,
    },
    { type: "text", text: "And?" },
  ]);
});

test("findPendingCalls() returns calls of the last turn that wait for the gateway only", () => {
  const question: Message = { role: "user", content: "Go" };
  const results: Message = { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_x" }] };
  const interruption: Message = {
    role: "user",
    content: [{ type: "tool_result", tool_use_id: "toolu_x" }, text("Stop")],
  };
  const calling: Message = { role: "assistant", content: [text("Now."), use("mcptoolu_1")] };
  const done: Message = { role: "assistant", content: [use("mcptoolu_1"), result("mcptoolu_1")] };
  const cases: [string, Message[], number][] = [
    ["a paused message", [question, calling], 1],
    ["results of the client's own tools", [question, calling, results], 1],
    ["a system message in between", [question, calling, { role: "system", content: "Hm" }, results], 1],
    ["a result that is there", [question, done], 0],
    ["a text of the user", [question, calling, interruption], 0],
    ["an earlier message", [question, calling, results, { role: "assistant", content: "Well." }], 0],
    ["no answer yet", [question], 0],
  ];
  for (const [name, messages, expected] of cases) {
    assert.equal(findPendingCalls(messages, find).length, expected, name);
  }
});

test("toServerCallId() returns valid ids that map back to the model's ids", () => {
  const ids = fc.oneof(
    fc.stringMatching(/^toolu_[a-zA-Z0-9_-]{1,40}$/),
    fc.stringMatching(/^toolu_gw_[a-zA-Z0-9_-]{1,40}$/),
    fc.stringMatching(/^[a-zA-Z0-9_-]{1,40}$/),
  );
  const tools = fc.constantFrom(
    { kind: "mcp_tool_use" as const, server: "workspace" },
    { kind: "mcp_tool_use" as const, server: "docs" },
    { kind: "server_tool_use" as const },
  );
  fc.assert(
    fc.property(ids, tools, (id, tool) => {
      const shown = toServerCallId(id, tool);
      assert.match(shown, /^(mcp|srv)toolu_[a-zA-Z0-9_-]+$/);
      assert.equal(toModelCallId(shown), id);
    }),
  );
});
