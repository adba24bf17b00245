import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMessagesRequest } from "../../lib/anthropic/parse.ts";
import { applyToolChanges } from "../../lib/anthropic/tool_changes.ts";
import type { Json } from "../kit/json.ts";

const tool = (name: string, fields: Json = {}) => ({ name, input_schema: { type: "object" }, ...fields });
const server = { type: "mcp_toolset", mcp_server_name: "workspace" };
const add = (target: unknown) => ({ type: "tool_addition", tool: target });
const remove = (target: unknown) => ({ type: "tool_removal", tool: target });
const define = (definition: unknown) => add({ type: "tool_definition", definition });
const ref = (name: unknown) => ({ type: "tool_reference", name });
const member = (name: string) => ({ type: "mcp_tool_reference", server_name: "workspace", name });
const toolset = { type: "mcp_toolset_reference", server_name: "workspace" };

const CASES: [
  name: string,
  tools: Json[],
  changes: Json[],
  expected: Json[] | undefined,
  ignored?: number,
][] = [
  ["a definition", [tool("a")], [define(tool("b"))], [tool("a"), tool("b")]],
  ["a definition in place", [tool("a"), tool("b")], [define(tool("a", { strict: true }))], [
    tool("a", { strict: true }),
    tool("b"),
  ]],
  ["a deferred tool", [tool("a", { defer_loading: true })], [add(ref("a"))], [tool("a")]],
  ["a removal of the only tool", [tool("a")], [remove(ref("a"))], undefined],
  ["a tool that comes back", [tool("a"), tool("b")], [remove(ref("a")), add(ref("a"))], [
    tool("b"),
    tool("a"),
  ]],
  ["a defined tool that comes back", [], [define(tool("a")), remove(ref("a")), add(ref("a"))], [tool("a")]],
  ["a removal twice", [tool("a"), tool("b")], [remove(ref("a")), remove(ref("a"))], [tool("b")], 1],
  ["a toolset", [server, tool("a")], [remove(toolset)], [tool("a")]],
  ["a toolset that comes back", [server], [remove(toolset), add(toolset)], [server]],
  ["tools of a server", [server], [remove(member("Bash")), remove(member("Read")), add(member("Read"))], [{
    ...server,
    configs: { Bash: { enabled: false }, Read: { enabled: true, defer_loading: false } },
  }]],
  ["a tool without a known name", [tool("a")], [add(ref("b")), remove(ref(7)), remove(member("a"))], [
    tool("a"),
  ], 3],
  ["a broken block", [tool("a")], [add(undefined), define(7), define({ name: "" }), remove("a"), add({})], [
    tool("a"),
  ], 5],
  ["a name of an object's member", [], [define(tool("__proto__")), define(tool("constructor"))], [
    tool("__proto__"),
    tool("constructor"),
  ]],
];

for (const [name, tools, changes, expected, ignored = 0] of CASES) {
  test(`applyToolChanges() applies ${name}`, () => {
    const messages = [{ role: "user", content: "Hi" }, { role: "system", content: changes }];
    const request = { model: "m", max_tokens: 8, tools, messages };
    const before = JSON.stringify(request);
    const result = applyToolChanges(parseMessagesRequest(request));
    assert.deepEqual(result?.request.tools, expected);
    assert.deepEqual(result?.request.messages[1]?.content, []);
    assert.equal(result?.ignored.length, ignored);
    assert.equal(result?.applied.length, changes.length - ignored);
    assert.equal(JSON.stringify(request), before, "the client's request is unchanged");
  });
}

test("applyToolChanges() reads the changes of a compaction, and none of a user or an assistant", () => {
  const compaction = { type: "compaction", content: "so far", tool_changes: [define(tool("a"))] };
  const result = applyToolChanges(parseMessagesRequest({
    model: "m",
    max_tokens: 8,
    messages: [
      { role: "assistant", content: [compaction, define(tool("b"))] },
      { role: "user", content: [define(tool("c"))] },
    ],
  }));
  assert.deepEqual(result?.request.tools, [tool("a")]);
  assert.deepEqual(result?.applied, ["messages.0.content.0.tool_changes.0"]);
});

test("applyToolChanges() maps paths to the client's request", () => {
  const text = { type: "text", text: "said" };
  const result = applyToolChanges(parseMessagesRequest({
    model: "m",
    max_tokens: 8,
    tools: [tool("a"), tool("b")],
    messages: [
      { role: "user", content: [text] },
      { role: "system", content: [remove(ref("a")), text, define(tool("c")), text] },
    ],
  }));
  const paths = {
    "tools.0.strict": "tools.1.strict",
    "tools.1.strict": "messages.1.content.2.tool.definition.strict",
    "messages.0.content.0.text": "messages.0.content.0.text",
    "messages.1.content.0": "messages.1.content.1",
    "messages.1.content.1.mood": "messages.1.content.3.mood",
    "max_tokens": "max_tokens",
  };
  for (const [path, expected] of Object.entries(paths)) assert.equal(result?.toClientPath(path), expected);
});

test("applyToolChanges() returns undefined for a request without changes", () => {
  const messages = [{ role: "system", content: "tool_addition" }, { role: "user", content: "Hi" }];
  assert.equal(applyToolChanges(parseMessagesRequest({ model: "m", max_tokens: 8, messages })), undefined);
});
