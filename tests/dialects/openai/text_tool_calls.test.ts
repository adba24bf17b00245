import assert from "node:assert/strict";
import { test } from "node:test";
import { type TextToolCall, TextToolCalls } from "../../../lib/dialects/openai/answer/text_tool_calls.ts";

const read = (path: string): TextToolCall => ({ name: "read", input: JSON.stringify({ path }) });

/** What a model says: the text of it, and the calls. */
const CASES: [said: string, text: string, calls: TextToolCall[]][] = [
  ['I look.\n<tool_call>\n{"name": "read", "arguments": {"path": "a"}}\n</tool_call>', "I look.\n", [
    read("a"),
  ]],
  ['<tool_call>{"name":"read","arguments":"{\\"path\\":\\"a\\"}"}</tool_call>', "", [read("a")]],
  [
    '<tool_call>{"name":"read","arguments":{"path":"a"}}</tool_call>\n<tool_call>{"name":"read","arguments":{"path":"b"}}</tool_call>\n',
    "",
    [read("a"), read("b")],
  ],
  ["<tool_call>\n<function=read>\n<parameter=path>\na\n</parameter>\n</function>\n</tool_call>", "", [
    read("a"),
  ]],
  ["<function=read><parameter=path>a</parameter></function>", "", [read("a")]],
  ["<tool_call>read\n<arg_key>path</arg_key>\n<arg_value>a</arg_value>\n</tool_call>", "", [read("a")]],
  [
    '<function_calls>\n<invoke name="read">\n<parameter name="path">a</parameter>\n</invoke>\n</function_calls>',
    "",
    [
      read("a"),
    ],
  ],
  [
    '<minimax:tool_call>\n<invoke name="read"><parameter name="path">a</parameter></invoke>\n</minimax:tool_call>',
    "",
    [
      read("a"),
    ],
  ],
  ['  [TOOL_CALLS] [{"name": "read", "arguments": {"path": "a"}}]', "  ", [read("a")]],
  [
    '<|tool_calls_section_begin|><|tool_call_begin|>functions.read:0<|tool_call_argument_begin|>{"path":"a"}<|tool_call_end|><|tool_calls_section_end|>',
    "",
    [read("a")],
  ],
  ["<tool_call>{}</tool_call>", "<tool_call>{}</tool_call>", []],
  // Words after a call, or before it on its line, tell of it.
  ['<tool_call>{"name":"read"}</tool_call> is how', '<tool_call>{"name":"read"}</tool_call> is how', []],
  ['Say <tool_call>{"name":"read"}</tool_call>', 'Say <tool_call>{"name":"read"}</tool_call>', []],
  // Nobody offers such a tool.
  ['<tool_call>{"name":"write"}</tool_call>', '<tool_call>{"name":"write"}</tool_call>', []],
  [
    '<tool_call>{"name":"read"}</tool_call><tool_call>{"name":"write"}</tool_call>',
    '<tool_call>{"name":"read"}</tool_call><tool_call>{"name":"write"}</tool_call>',
    [],
  ],
  ['<tool_call>{"name":"read", "argu', '<tool_call>{"name":"read", "argu', []],
  ["a < b\n  <b>bold</b>\n<tool", "a < b\n  <b>bold</b>\n<tool", []],
  ["\n\n", "\n\n", []],
  ["", "", []],
];

test("TextToolCalls finds calls at the end of a text at any chunk boundaries and leaves other text unchanged", () => {
  for (const [said, text, calls] of CASES) {
    for (let first = 0; first <= said.length; first++) {
      for (const second of [first, Math.min(first + 3, said.length), said.length]) {
        const spoken = new TextToolCalls(new Set(["read"]));
        const parts = [said.slice(0, first), said.slice(first, second), said.slice(second)];
        const released = parts.map((part) => spoken.push(part)).join("");
        const end = spoken.end();
        assert.deepEqual(
          { text: released + end.text, calls: end.calls },
          { text, calls },
          JSON.stringify(parts),
        );
      }
    }
  }
});

test("TextToolCalls makes no call of a truncated text", () => {
  const spoken = new TextToolCalls(new Set(["read"]));
  const said = '<tool_call>{"name":"read"}</tool_call>';
  assert.equal(spoken.push(said), "");
  assert.deepEqual(spoken.end(false), { calls: [], text: said });
});

test("TextToolCalls releases text that cannot be a call at once", () => {
  const spoken = new TextToolCalls(new Set(["read"]));
  assert.equal(
    spoken.push("One line.\nAnother, with <tool_call> in it\n<"),
    "One line.\nAnother, with <tool_call> in it\n",
  );
  assert.equal(spoken.push("p>"), "<p>");
});
