import { ChatAnthropic } from "@langchain/anthropic";
import { AIMessage, HumanMessage, ToolMessage } from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import assert from "node:assert/strict";
import { describe } from "node:test";
import { z } from "zod";
import { CITIES, greeting, report, TEXT, twoCalls, WEATHER } from "../kit/scenarios.ts";
import { CLIENT_KEY, ROUTES, setUpTestbed, test } from "../kit/testbed.ts";
import { call, hold, reply, tooMany } from "../../kit/model/turns.ts";

describe("@langchain/anthropic", () => {
  const testbed = setUpTestbed();

  for (const route of ROUTES) {
    describe(route.name, () => {
      const connect = (maxRetries = 0) =>
        new ChatAnthropic({
          model: route.model,
          apiKey: CLIENT_KEY,
          anthropicApiUrl: testbed.url,
          maxRetries,
        });

      test("invoke() returns text and usage", async () => {
        testbed.upstream.script(greeting);
        const message = await connect().invoke("Greet me");
        assert.equal(message.text, TEXT);
        assert.equal(message.usage_metadata?.input_tokens, 1200);
        assert.equal(message.usage_metadata?.output_tokens, 42);
        assert.equal(testbed.upstream.received[0]?.path, route.path);
      });

      test("stream() gives text and usage", async () => {
        testbed.upstream.script(greeting);
        const chunks = [];
        for await (const chunk of await connect().stream("Greet me")) chunks.push(chunk);
        assert.equal(chunks.map(({ text }) => text).join(""), TEXT);
        const whole = chunks.reduce((all, chunk) => all.concat(chunk));
        // It adds the usage of `message_start` to that of `message_delta`, so only one of them may count.
        assert.equal(whole.usage_metadata?.output_tokens, 42);
      });

      for (const streamed of [false, true]) {
        test(`two tool calls at once go round ${streamed ? "streamed" : "in one piece"}`, async () => {
          testbed.upstream.script(twoCalls(route), report);
          const weather = tool(
            ({ city }) => WEATHER[CITIES.findIndex((one) => one.city === city)] ?? "",
            { name: "weather", description: "Tells the weather", schema: z.object({ city: z.string() }) },
          );
          const model = connect().bindTools([weather]);
          const question = new HumanMessage("How is the weather?");
          let first = new AIMessage("");
          if (streamed) {
            const chunks = [];
            for await (const chunk of await model.stream([question])) chunks.push(chunk);
            const whole = chunks.reduce((all, chunk) => all.concat(chunk));
            first = new AIMessage({ content: whole.content, tool_calls: whole.tool_calls ?? [] });
          } else {
            first = await model.invoke([question]);
          }
          const calls = first.tool_calls ?? [];
          assert.deepEqual(
            calls.map(({ name, args }) => [name, args]),
            CITIES.map((city) => ["weather", city]),
          );
          const results = calls.map(({ id }, at) =>
            new ToolMessage({ tool_call_id: id ?? "", content: WEATHER[at] ?? "" })
          );
          const last = await model.invoke([question, first, ...results]);
          assert.equal(last.text, "It rains in Zürich.");
          const sent = testbed.sent(1);
          assert.deepEqual(
            sent.calls,
            CITIES.map((input, at) => ({ id: route.ids[at], name: "weather", input })),
          );
          assert.deepEqual(sent.results, route.ids.map((id, at) => ({ id, text: WEATHER[at] })));
        });
      }

      test("withStructuredOutput() forces its tool and returns the object", async () => {
        testbed.upstream.script(
          reply({ tools: [call(route.ids[0], "extract", { city: "Zürich", degrees: 12 })] }),
        );
        const Report = z.object({ city: z.string(), degrees: z.number() });
        const object = await connect().withStructuredOutput(Report).invoke("Report");
        assert.deepEqual(object, { city: "Zürich", degrees: 12 });
        assert.equal(testbed.sent().choice, "extract");
        assert.deepEqual(testbed.sent().tools, ["extract"]);
      });

      test("a 429 is an error of status 429", async () => {
        testbed.upstream.always(tooMany(7));
        await assert.rejects(connect().invoke("Greet me"), { status: 429 });
      });

      test("invoke() tries again after a 429", async () => {
        testbed.upstream.script(tooMany(1), greeting);
        assert.equal((await connect(1).invoke("Greet me")).text, TEXT);
      });

      test("a stream that ends in an error fails", async () => {
        testbed.upstream.script(reply({ text: ["Hello"], ending: "error" }));
        const chunks: string[] = [];
        await assert.rejects(async () => {
          for await (const chunk of await connect().stream("Greet me")) chunks.push(chunk.text);
        }, /disconnected/);
        assert.equal(chunks.join(""), "Hello");
      });

      test("a client that leaves a silent upstream is followed", async () => {
        testbed.upstream.script(hold());
        const controller = new AbortController();
        const arrived = testbed.upstream.next();
        const failed = assert.rejects(connect().invoke("Greet me", { signal: controller.signal }));
        const { ended } = await arrived;
        controller.abort();
        await failed;
        assert.equal(await ended, "left");
      });
    });
  }
});
