import assert from "node:assert/strict";
import { checkEvents, parseBlocks } from "../kit/answers.ts";
import {
  CITIES,
  greeting,
  PIECES,
  PNG,
  report,
  TEXT,
  twoCalls,
  WEATHER,
  WEATHER_INPUT,
} from "../kit/scenarios.ts";
import { type Body, checkGreeting, collect, type Image, type Param, type Play } from "./sdk.ts";
import { CLIENT_KEY, GATEWAY_KEY, test } from "../kit/testbed.ts";
import { reply } from "../../kit/model/turns.ts";

/** Tests of the answers that one major of the official SDK returns, on one route. */
export function testAnswers({ sdk, testbed, route, connect, ask }: Play): void {
  test("messages.create() returns the whole text", async () => {
    testbed.upstream.script(greeting);
    checkGreeting(await connect().messages.create(ask()), route);
    const { received } = testbed.upstream;
    assert.deepEqual(received.map(({ path }) => path), [route.path]);
    assert.equal(testbed.sent().model, route.model);
    assert.equal(testbed.sent().user, "Greet me");
    assert.equal(testbed.sent().key, GATEWAY_KEY);
    assert.ok(
      !JSON.stringify(received[0]?.headers).includes(CLIENT_KEY),
      "the client's key went upstream",
    );
  });

  test("beta.messages.create() returns the whole text", async () => {
    testbed.upstream.script(greeting);
    checkGreeting(await connect().beta.messages.create(ask()), route);
  });

  test("messages.stream() gives the events in order, and the same message", async () => {
    testbed.upstream.script(greeting);
    const stream = connect().messages.stream(ask());
    const events = await collect(stream);
    assert.equal(checkEvents(events).join(""), TEXT);
    checkGreeting(await stream.finalMessage(), route);
  });

  test("messages.stream() shows thinking once, and the upstream gets it back", async () => {
    const thinking = {
      pieces: ["The user wants", " a greeting 🙂"],
      signature: "EokHCmUIDxgCKkBX0fNi",
    };
    testbed.upstream.script(reply({ thinking, text: PIECES }), report);
    const message = await connect().messages.stream(ask()).finalMessage();
    const content = parseBlocks(message.content);
    assert.deepEqual(content.map(({ type }) => type), ["thinking", "text"]);
    const [first] = content;
    assert.ok(first?.type === "thinking");
    assert.equal(first.thinking, "The user wants a greeting 🙂");
    assert.notEqual(first.signature, "");
    if (route.name === "native") assert.equal(first.signature, thinking.signature);

    const messages = [...ask().messages, { role: "assistant" as const, content }];
    await connect().messages.create(
      ask({ messages: [...messages, { role: "user", content: "Go on" }] }),
    );
    assert.equal(testbed.sent(1).thinking, "The user wants a greeting 🙂");
  });

  for (const streamed of [false, true]) {
    test(`two tool calls at once go round ${streamed ? "streamed" : "in one piece"}`, async () => {
      testbed.upstream.script(twoCalls(route), report);
      const get = async (body: Body) =>
        streamed
          ? await connect().messages.stream(body).finalMessage()
          : await connect().messages.create(body);
      const first = await get(ask({ tools }));
      assert.equal(first.stop_reason, "tool_use");
      const content = parseBlocks(first.content);
      const calls = content.filter((block) => block.type === "tool_use");
      assert.deepEqual(content[0], { type: "text", text: "Let me look." });
      assert.deepEqual(
        calls.map(({ name, input }) => [name, input]),
        CITIES.map((city) => ["weather", city]),
      );
      const ids = calls.map(({ id }) => id);
      for (const id of ids) assert.match(id, /^[a-zA-Z0-9_-]+$/);
      assert.equal(new Set(ids).size, 2);

      const results: Param[] = [
        { type: "tool_result", tool_use_id: ids[1] ?? "", content: WEATHER[1], is_error: true },
        {
          type: "tool_result",
          tool_use_id: ids[0] ?? "",
          content: [{ type: "text", text: WEATHER[0] }],
        },
      ];
      const messages = [...ask().messages, { role: "assistant" as const, content }];
      const last = await get(
        ask({ tools, messages: [...messages, { role: "user", content: results }] }),
      );
      assert.deepEqual(parseBlocks(last.content), [{ type: "text", text: "It rains in Zürich." }]);
      assert.equal(last.stop_reason, "end_turn");

      const sent = testbed.sent(1);
      assert.deepEqual(sent.tools, ["weather"]);
      assert.deepEqual(
        sent.calls,
        CITIES.map((input, at) => ({ id: route.ids[at], name: "weather", input })),
      );
      const told = new Map(sent.results.map(({ id, text }) => [id, text]));
      assert.equal(told.get(route.ids[0]), WEATHER[0]);
      // A chat completion has no field for a failed result. Its text may state it.
      assert.ok(
        told.get(route.ids[1])?.endsWith(WEATHER[1]),
        `the upstream was told ${told.get(route.ids[1])}`,
      );
      assert.equal(told.size, 2);
    });
  }

  test("a tool call without arguments has an empty input", async () => {
    testbed.upstream.script(reply({ tools: [{ id: route.ids[0], name: "now", input: [""] }] }));
    const message = await connect().messages.stream(ask()).finalMessage();
    assert.deepEqual(
      parseBlocks(message.content).map((block) => "input" in block && block.input),
      [{}],
    );
  });

  test("an image in a message and one in a tool result reach the upstream", async () => {
    testbed.upstream.script(report);
    const image: Image = {
      type: "image",
      source: { type: "base64", media_type: "image/png", data: PNG },
    };
    const shown = [{ type: "text" as const, text: "a picture" }, image];
    const [id] = route.ids;
    await connect().messages.create(ask({
      messages: [
        { role: "user", content: [{ type: "text", text: "Compare" }, image] },
        { role: "assistant", content: [{ type: "tool_use", id, name: "look", input: {} }] },
        { role: "user", content: [{ type: "tool_result", tool_use_id: id, content: shown }] },
      ],
    }));
    assert.deepEqual(
      testbed.sent().images,
      Array(2).fill(`data:image/png;base64,${PNG}`),
    );
    assert.match(testbed.sent().results[0]?.text ?? "", /a picture/);
  });

  test("system, stop sequences and sampling reach the upstream", async () => {
    testbed.upstream.script(reply({ text: ["1 2 3 "], stop: "stop_sequence" }));
    const sampling = sdk.sampling ? { temperature: 0.5, top_p: 0.9, top_k: 40 } : {};
    const message = await connect().messages.create(
      ask({ system: "Count", stop_sequences: ["4"], ...sampling }),
    );
    assert.equal(message.stop_reason, "stop_sequence");
    assert.equal(message.stop_sequence, "4");
    assert.equal(testbed.sent().system, "Count");
    assert.deepEqual(testbed.sent().stop, ["4"]);
    const none = { temperature: undefined, top_p: undefined, top_k: undefined };
    assert.deepEqual(testbed.sent().sampling, { ...none, ...sampling });
  });

  test("messages.countTokens() counts without asking the upstream, 26 at once", async () => {
    const messages = ask().messages;
    const few = await connect().messages.countTokens({ model: route.model, messages });
    assert.ok(few.input_tokens > 0);
    const counts = await Promise.all(
      Array.from({ length: 26 }, () =>
        connect().messages.countTokens({
          model: route.model,
          messages,
          system: "Answer in one word. ".repeat(50),
          tools,
        })),
    );
    assert.equal(new Set(counts.map(({ input_tokens }) => input_tokens)).size, 1);
    assert.ok((counts[0]?.input_tokens ?? 0) > few.input_tokens + 100);
    assert.deepEqual(testbed.upstream.received, []);
  });

  test("models.retrieve() finds the model", async () => {
    const model = await connect().models.retrieve(route.model);
    assert.equal(model.type, "model");
    assert.equal(model.id, route.model);
    assert.notEqual(model.display_name, "");
  });
}

const tools = [{ name: "weather", description: "Tells the weather", input_schema: WEATHER_INPUT }];
