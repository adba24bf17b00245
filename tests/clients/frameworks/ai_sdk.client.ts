import { createAnthropic } from "@ai-sdk/anthropic";
import { APICallError, generateObject, generateText, Output, stepCountIs, streamText, tool } from "ai";
import assert from "node:assert/strict";
import { describe } from "node:test";
import { z } from "zod";
import { CITIES, greeting, PIECES, PNG, report, TEXT, twoCalls, WEATHER } from "../kit/scenarios.ts";
import { CLIENT_KEY, NATIVE, ROUTES, setUpTestbed, test, TRANSLATED } from "../kit/testbed.ts";
import { call, hold, reply, tooMany } from "../../kit/model/turns.ts";

const Report = z.object({ city: z.string(), degrees: z.number() });
const REPORT = { city: "Zürich", degrees: 12 };

/** How a model's id makes the client ask for an object: by a tool, or by `output_config.format`. */
const OBJECTS = [
  { model: "openai/gpt-5", route: TRANSLATED, by: "a tool" },
  { model: "claude-of-the-house", route: TRANSLATED, by: "a format" },
  { model: "house-model", route: NATIVE, by: "a tool" },
  { model: "anthropic/claude-sonnet-4.5", route: NATIVE, by: "a format" },
];

// It warns at every call of a model id that it does not know. It knows none of these.
Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });

describe("@ai-sdk/anthropic", () => {
  const testbed = setUpTestbed();
  const connect = (model: string) =>
    createAnthropic({ baseURL: `${testbed.url}/v1`, apiKey: CLIENT_KEY })(model);

  for (const route of ROUTES) {
    describe(route.name, () => {
      const ask = () => ({ model: connect(route.model), prompt: "Greet me", maxRetries: 0 });

      test("generateText() returns text, finish and usage", async () => {
        testbed.upstream.script(greeting);
        const { text, finishReason, usage } = await generateText(ask());
        assert.equal(text, TEXT);
        assert.equal(finishReason, "stop");
        checkUsage(usage);
        assert.equal(testbed.upstream.received[0]?.path, route.path);
      });

      test("streamText() gives text, finish and usage", async () => {
        testbed.upstream.script(greeting);
        const result = streamText({ ...ask(), onError: fail });
        assert.equal((await collect(result.textStream)).join(""), TEXT);
        assert.equal(await result.finishReason, "stop");
        checkUsage(await result.usage);
      });

      test("streamText() gives reasoning beside the text", async () => {
        const thinking = { pieces: ["a greeting", " is due"], signature: "EokHCmUIDxgCKkBX0fNi" };
        testbed.upstream.script(reply({ thinking, text: PIECES }));
        const result = streamText({ ...ask(), onError: fail });
        assert.equal(await result.text, TEXT);
        assert.equal(await result.reasoningText, "a greeting is due");
      });

      for (const streamed of [false, true]) {
        test(`${streamed ? "streamText" : "generateText"}() runs two tools at once and goes on`, async () => {
          testbed.upstream.script(twoCalls(route), report);
          const ran: string[] = [];
          const weather = tool({
            description: "Tells the weather",
            inputSchema: z.object({ city: z.string() }),
            execute({ city }) {
              ran.push(city);
              return WEATHER[ran.length - 1];
            },
          });
          const options = { ...ask(), tools: { weather }, stopWhen: stepCountIs(3) };
          const text = streamed
            ? await streamText({ ...options, onError: fail }).text
            : (await generateText(options)).text;
          assert.equal(text, "It rains in Zürich.");
          assert.deepEqual(ran, CITIES.map(({ city }) => city));
          const { results } = testbed.sent(1);
          assert.deepEqual(results, route.ids.map((id, at) => ({ id, text: WEATHER[at] })));
        });
      }

      test("an image reaches the upstream", async () => {
        testbed.upstream.script(report);
        const image = { type: "image" as const, image: PNG, mediaType: "image/png" };
        const { model } = ask();
        await generateText({ model, maxRetries: 0, messages: [{ role: "user", content: [image] }] });
        assert.deepEqual(testbed.sent().images, [`data:image/png;base64,${PNG}`]);
      });

      test("a 429 is an APICallError that may be tried again", async () => {
        testbed.upstream.always(tooMany(7));
        await assert.rejects(generateText(ask()), (error) => {
          assert.ok(APICallError.isInstance(error), `it is ${error}`);
          assert.equal(error.statusCode, 429);
          assert.equal(error.isRetryable, true);
          assert.equal(error.responseHeaders?.["retry-after"], "7");
          assert.match(error.message, /rate limited upstream/);
          return true;
        });
      });

      test("streamText() tries again after a 429", async () => {
        testbed.upstream.script(tooMany(1), greeting);
        assert.equal(await streamText({ ...ask(), maxRetries: 1, onError: fail }).text, TEXT);
      });

      test("a stream that ends in an error gives its text and the error", async () => {
        testbed.upstream.script(reply({ text: PIECES, ending: "error" }));
        const errors: unknown[] = [];
        const result = streamText({ ...ask(), onError: ({ error }) => void errors.push(error) });
        const parts = await collect(result.fullStream);
        assert.match(parts.map((part) => part.type === "text-delta" ? part.text : "").join(""), /^Hello/);
        assert.equal(errors.length, 1);
        assert.match(JSON.stringify(errors), /disconnected/);
      });

      test("a client that leaves a silent upstream is followed", async () => {
        testbed.upstream.script(hold());
        const controller = new AbortController();
        const arrived = testbed.upstream.next();
        const failed = assert.rejects(generateText({ ...ask(), abortSignal: controller.signal }));
        const { ended } = await arrived;
        controller.abort();
        await failed;
        assert.equal(await ended, "left");
      });
    });
  }

  for (const { model, route, by } of OBJECTS) {
    const [id] = route.ids;
    const text = JSON.stringify(REPORT);
    const answer = by === "a tool"
      ? reply({ tools: [call(id, "json", REPORT)] })
      : reply({ text: [text.slice(0, 9), text.slice(9)] });
    const check = () => {
      assert.equal(testbed.upstream.received[0]?.path, route.path);
      const sent = testbed.sent();
      assert.deepEqual(sent.tools, by === "a tool" ? ["json"] : []);
      assert.equal(sent.choice, by === "a tool" ? "any" : "auto");
      if (by === "a format") {
        assert.deepEqual(Object.keys(Schema.parse(sent.schema).properties), ["city", "degrees"]);
      }
    };

    test(`generateObject() asks ${model} for an object by ${by}`, async () => {
      testbed.upstream.script(answer);
      const options = { model: connect(model), schema: Report, prompt: "Report", maxRetries: 0 };
      assert.deepEqual((await generateObject(options)).object, REPORT);
      check();
    });

    test(`streamText() asks ${model} for an object by ${by}`, async () => {
      testbed.upstream.script(answer);
      const output = Output.object({ schema: Report });
      const options = { model: connect(model), output, prompt: "Report", maxRetries: 0, onError: fail };
      assert.deepEqual(await streamText(options).output, REPORT);
      check();
    });
  }
});

const Schema = z.looseObject({ properties: z.record(z.string(), z.unknown()) });

function checkUsage(
  usage: {
    inputTokens?: number | undefined;
    outputTokens?: number | undefined;
    inputTokenDetails: { cacheReadTokens?: number | undefined };
  },
): void {
  assert.equal(usage.inputTokens, 1200);
  assert.equal(usage.inputTokenDetails.cacheReadTokens, 1000);
  assert.equal(usage.outputTokens, 42);
}

function fail({ error }: { error: unknown }): void {
  throw error;
}

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}
