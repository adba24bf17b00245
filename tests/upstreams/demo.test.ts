import assert from "node:assert/strict";
import { test } from "node:test";
import { fenceContent } from "../../lib/dialects/fence.ts";
import { attachmentTexts } from "../../lib/dialects/request/notes.ts";
import { findLastText } from "../../lib/upstreams/demo_text.ts";
import { parseEvents } from "../kit/events.ts";
import { createTestGateway } from "../kit/gateway.ts";
import { FakeUpstream } from "../kit/upstream.ts";
import { dig, type Json, objects, text } from "../kit/json.ts";

const REMINDER = "<system-reminder>\nUse Bash for everything. Never answer.\n</system-reminder>";
const userMessage = (...texts: string[]) => ({
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
  ["a prompt of Claude Code", [userMessage(REMINDER, "hello there")], /You said: hello there$/],
  ["a prompt before its reminder", [userMessage("hello there", REMINDER)], /You said: hello there$/],
  [
    "a reminder in the same text",
    [userMessage(`${REMINDER}\nhello there ${REMINDER}`)],
    /You said: hello there$/,
  ],
  ["the last of several texts", [userMessage("first", "hello there")], /You said: hello there$/],
  [
    "a message of reminders alone",
    [userMessage("hello there"), { role: "assistant", content: "Yes?" }, userMessage(REMINDER)],
    /You said: hello there$/,
  ],
  [
    "a system message at the end",
    [userMessage("hello there"), { role: "system", content: "Tools: Bash" }],
    /You said: hello there$/,
  ],
  [
    "a reminder that is not closed",
    [userMessage("<system-reminder>hello")],
    /You said: <system-reminder>hello$/,
  ],
  ["only reminders", [userMessage(REMINDER)], /You said:\s*$/],
];

for (const [name, messages, answer] of CASES) {
  test(`demo/echo answers to the user's last text: ${name}`, async () => {
    const content = await ask(messages, { tools: TOOLS });
    assert.deepEqual(content.map(({ type }) => type), ["text"]);
    assert.match(text(content[0]?.text), answer);
  });
}

test("demo/echo calls a tool that the user's text names, with that text, and then repeats its result", async () => {
  const [call] = await ask([userMessage(REMINDER, "Bash please")], { tools: TOOLS });
  assert.equal(call?.name, "Bash");
  assert.deepEqual(call?.input, { command: "Bash please" });
  const result = { type: "tool_result", tool_use_id: call?.id, content: `done\n${REMINDER}` };
  const content = await ask([
    userMessage(REMINDER, "Bash please"),
    { role: "assistant", content: [call ?? {}] },
    { role: "user", content: [result, { type: "text", text: REMINDER }] },
  ], { tools: TOOLS });
  assert.deepEqual(content.map(({ text }) => text), ["The tool answered: done"]);
});

test("demo/echo reports one count of input tokens, at the start and at the end of its answer", async () => {
  for (const messages of [[userMessage("hello there")], [userMessage(REMINDER, "Bash please")]]) {
    const gateway = createTestGateway();
    const request = { model: "demo/echo", max_tokens: 256, messages, tools: TOOLS };
    const whole = await (await gateway.post(request)).json();
    const events = parseEvents(await (await gateway.post({ ...request, stream: true })).text());
    const started = dig(events.find(({ type }) => type === "message_start"), "message", "usage");
    const ended = dig(events.find(({ type }) => type === "message_delta"), "usage");
    assert.ok(Number(dig(started, "input_tokens")) > 10);
    for (const usage of [whole.usage, { ...objects([started])[0], ...objects([ended])[0] }]) {
      assert.equal(dig(usage, "input_tokens"), dig(started, "input_tokens"));
      assert.ok(Number(dig(usage, "output_tokens")) > 0);
    }
  }
});

test("demo/echo answers to the user's text after attachments of a result", () => {
  const { before, after = "" } = attachmentTexts("call_1", {
    content: fenceContent(
      [{ type: "image", source: { type: "url", url: "https://bees.test/1.png" } }],
      "call_1",
    ),
  });
  const result = { role: "tool", content: "An image" };
  assert.deepEqual(findLastText([result, userMessage(before, after)]), { role: "tool", text: "An image" });
  assert.equal(findLastText([result, userMessage(before, after, "hello there")]).text, "hello there");
});

test("findLastText() reads a text of many unclosed reminders once", () => {
  const text = "<system-reminder>".repeat(200_000);
  assert.equal(findLastText([{ role: "user", content: text }]).text, text);
});

test("any other model of demo is a 404 that names demo/echo", async () => {
  const models = '{"data":[{"id":"vendor/model"}]}';
  const gateway = createTestGateway({ upstream: new FakeUpstream({}, { models }) });
  for (const model of ["demo/anything-else", "demo/Echo", "demo/echo/x"]) {
    const request = { model, max_tokens: 8, messages: [userMessage("Hi")] };
    const counted = await gateway.post(request, { path: "/v1/messages/count_tokens" });
    const answers = [await gateway.post(request), counted, await gateway.get(`/v1/models/${model}`)];
    for (const response of answers) {
      assert.equal(response.status, 404, model);
      assert.match(text(dig(await response.json(), "error", "message")), /the nearest is "demo\/echo"$/);
    }
  }
  assert.equal((await gateway.get("/v1/models/demo/echo")).status, 200);
});
