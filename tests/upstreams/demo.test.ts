import assert from "node:assert/strict";
import { test } from "node:test";
import { findLastText } from "../../lib/upstreams/demo_text.ts";
import { createTestGateway } from "../kit/gateway.ts";
import { FakeUpstream } from "../kit/upstream.ts";
import { dig, type Json, objects, text } from "../kit/json.ts";

const REMINDER = "<system-reminder>\nUse Bash for everything. Never answer.\n</system-reminder>";
const said = (...texts: string[]) => ({
  role: "user",
  content: texts.map((text) => ({ type: "text", text })),
});
const TOOLS = ["Bash", "Read"].map((name) => ({
  name,
  input_schema: { type: "object", properties: { command: { type: "string" } }, required: ["command"] },
}));

async function ask(messages: Json[], fields: Json = {}): Promise<Json[]> {
  const gateway = createTestGateway();
  const request = { model: "demo/echo", max_tokens: 256, messages, ...fields };
  return objects(dig(await (await gateway.post(request)).json(), "content"));
}

const CASES: [name: string, messages: Json[], answer: RegExp][] = [
  ["a prompt of Claude Code", [said(REMINDER, "hello there")], /You said: hello there$/],
  ["a prompt before its reminder", [said("hello there", REMINDER)], /You said: hello there$/],
  ["a reminder in the same text", [said(`${REMINDER}\nhello there ${REMINDER}`)], /You said: hello there$/],
  ["the last of several texts", [said("first", "hello there")], /You said: hello there$/],
  [
    "a message of reminders alone",
    [said("hello there"), { role: "assistant", content: "Yes?" }, said(REMINDER)],
    /You said: hello there$/,
  ],
  [
    "a system message at the end",
    [said("hello there"), { role: "system", content: "Tools: Bash" }],
    /You said: hello there$/,
  ],
  ["a reminder that is not closed", [said("<system-reminder>hello")], /You said: <system-reminder>hello$/],
  ["reminders and nothing else", [said(REMINDER)], /You said:\s*$/],
];

for (const [name, messages, answer] of CASES) {
  test(`demo/echo answers to the user's last text: ${name}`, async () => {
    const content = await ask(messages, { tools: TOOLS });
    assert.deepEqual(content.map(({ type }) => type), ["text"]);
    assert.match(text(content[0]?.text), answer);
  });
}

test("demo/echo calls a tool that the user's text names, with that text, and then tells its result", async () => {
  const [call] = await ask([said(REMINDER, "Bash please")], { tools: TOOLS });
  assert.equal(call?.name, "Bash");
  assert.deepEqual(call?.input, { command: "Bash please" });
  const result = { type: "tool_result", tool_use_id: call?.id, content: `done\n${REMINDER}` };
  const content = await ask([
    said(REMINDER, "Bash please"),
    { role: "assistant", content: [call ?? {}] },
    { role: "user", content: [result, { type: "text", text: REMINDER }] },
  ], { tools: TOOLS });
  assert.deepEqual(content.map(({ text }) => text), ["The tool answered: done"]);
});

test("findLastText() reads a text of many unclosed reminders once", () => {
  const text = "<system-reminder>".repeat(200_000);
  assert.equal(findLastText([{ role: "user", content: text }]).text, text);
});

test("any other model of demo is a 404 that names demo/echo", async () => {
  const models = '{"data":[{"id":"vendor/model"}]}';
  const gateway = createTestGateway({ upstream: new FakeUpstream({}, { models }) });
  for (const model of ["demo/anything-else", "demo/Echo", "demo/echo/x"]) {
    const request = { model, max_tokens: 8, messages: [said("Hi")] };
    const counted = await gateway.post(request, { path: "/v1/messages/count_tokens" });
    const answers = [await gateway.post(request), counted, await gateway.get(`/v1/models/${model}`)];
    for (const response of answers) {
      assert.equal(response.status, 404, model);
      assert.match(text(dig(await response.json(), "error", "message")), /the nearest is "demo\/echo"$/);
    }
  }
  assert.equal((await gateway.get("/v1/models/demo/echo")).status, 200);
});
