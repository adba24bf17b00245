import assert from "node:assert/strict";
import { test } from "node:test";
import { type TextToolCall, TextToolCalls } from "../../../lib/dialects/openai/answer/text_tool_calls.ts";

const read = (path: string): TextToolCall => ({ name: "read", input: JSON.stringify({ path }) });

/** Output of a model, the text in it, and the calls. */
const CASES: [output: string, text: string, calls: TextToolCall[]][] = [
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
  // With text after it, or before it on its line, a call is only quoted.
  ['<tool_call>{"name":"read"}</tool_call> is how', '<tool_call>{"name":"read"}</tool_call> is how', []],
  ['Say <tool_call>{"name":"read"}</tool_call>', 'Say <tool_call>{"name":"read"}</tool_call>', []],
  // The tool is not offered.
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
  for (const [output, text, calls] of CASES) {
    for (let first = 0; first <= output.length; first++) {
      for (const second of [first, Math.min(first + 3, output.length), output.length]) {
        const parser = new TextToolCalls(new Set(["read"]));
        const parts = [output.slice(0, first), output.slice(first, second), output.slice(second)];
        const released = parts.map((part) => parser.push(part)).join("");
        const end = parser.end();
        assert.deepEqual(
          { text: released + end.text, calls: end.calls },
          { text, calls },
          JSON.stringify(parts),
        );
      }
    }
  }
});

test("TextToolCalls returns no call for a truncated text", () => {
  const parser = new TextToolCalls(new Set(["read"]));
  const output = '<tool_call>{"name":"read"}</tool_call>';
  assert.equal(parser.push(output), "");
  assert.deepEqual(parser.end(false), { calls: [], text: output });
});

test("TextToolCalls releases text that cannot be a call at once", () => {
  const parser = new TextToolCalls(new Set(["read"]));
  assert.equal(
    parser.push("One line.\nAnother, with <tool_call> in it\n<"),
    "One line.\nAnother, with <tool_call> in it\n",
  );
  assert.equal(parser.push("p>"), "<p>");
});
