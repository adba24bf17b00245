import { createAnthropic } from "@ai-sdk/anthropic";
import Anthropic from "@anthropic-ai/sdk";
import { zodOutputFormat } from "@anthropic-ai/sdk/helpers/zod";
import { ChatAnthropic } from "@langchain/anthropic";
import { generateObject, streamObject } from "ai";
import assert from "node:assert/strict";
import { describe } from "node:test";
import { z } from "zod";
import { collect } from "../sdk/sdk.ts";
import { CLIENT_KEY, NATIVE, type Route, ROUTES, setUpTestbed, test, TRANSLATED } from "../kit/testbed.ts";
import { call, type Reply, reply } from "../../kit/model/turns.ts";

/** Objects in arrays in objects, an enumeration, and nullable values. */
const Forecast = z.object({
  station: z.object({ name: z.string(), tags: z.array(z.string()) }),
  days: z.array(z.object({ sky: z.enum(["rain", "sun"]), degrees: z.number().nullable() })),
});
const FORECAST: z.infer<typeof Forecast> = {
  station: { name: "Zürich 🙂", tags: ["city", 'wörld "quoted" \\ 漢字'] },
  days: [{ sky: "rain", degrees: 12.5 }, { sky: "sun", degrees: null }],
};
const JSON_PIECES = JSON.stringify(FORECAST).match(/[^]{1,17}/gu) ?? [];

/** Model names by which a client chooses how it requests an object, for each route. */
const NAMES: { model: string; route: Route; by: "a tool" | "a format" }[] = [
  { model: "openai/gpt-5", route: TRANSLATED, by: "a tool" },
  { model: "claude-of-the-house", route: TRANSLATED, by: "a format" },
  { model: "house-model", route: NATIVE, by: "a tool" },
  { model: "anthropic/claude-sonnet-4.5", route: NATIVE, by: "a format" },
];

// The AI SDK warns at every call of a model id that it does not know. It knows none of these.
Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });

describe("a nested object", () => {
  const testbed = setUpTestbed();

  /** Scripts the object as a call of the named tool, or as text without a tool. */
  const script = (route: Route, tool?: string): void => {
    const answer: Partial<Reply> = tool === undefined
      ? { text: JSON_PIECES }
      : { tools: [call(route.ids[0], tool, FORECAST)] };
    testbed.upstream.script(reply(answer));
  };

  /** Checks how the upstream was asked for the object, and returns the schema that it received. */
  const checkAsked = (route: Route, tool?: string): unknown => {
    assert.deepEqual(testbed.upstream.received.map(({ path }) => path), [route.path]);
    const { tools, schema, schemas } = testbed.sent();
    assert.deepEqual(tools, tool === undefined ? [] : [tool]);
    const given = tool === undefined ? schema : schemas[0];
    checkNested(given);
    return given;
  };

  for (const { model, route, by } of NAMES) {
    const tool = by === "a tool" ? "json" : undefined;
    const ask = () => ({
      model: createAnthropic({ baseURL: `${testbed.url}/v1`, apiKey: CLIENT_KEY })(model),
      schema: Forecast,
      prompt: "Report",
      maxRetries: 0,
    });

    test(`AI SDK: generateObject() of ${model} by ${by}`, async () => {
      script(route, tool);
      assert.deepEqual((await generateObject(ask())).object, FORECAST);
      checkAsked(route, tool);
    });

    test(`AI SDK: streamObject() of ${model} by ${by} grows`, async () => {
      script(route, tool);
      const result = streamObject({ ...ask(), onError: ({ error }) => assert.fail(String(error)) });
      const partial = await collect(result.partialObjectStream);
      assert.ok(partial.length > 2, `it came in ${partial.length} steps`);
      assert.deepEqual(partial.at(-1), FORECAST);
      assert.deepEqual(await result.object, FORECAST);
      checkAsked(route, tool);
    });
  }

  for (const route of ROUTES) {
    const connect = () =>
      new ChatAnthropic({
        model: route.model,
        apiKey: CLIENT_KEY,
        anthropicApiUrl: testbed.url,
        maxRetries: 0,
      });

    for (const [method, tool] of [["functionCalling", "forecast"], ["jsonSchema", undefined]] as const) {
      test(`LangChain: withStructuredOutput() by ${method}, ${route.name}`, async () => {
        script(route, tool);
        const model = connect().withStructuredOutput(Forecast, { name: "forecast", method });
        assert.deepEqual(await model.invoke("Report"), FORECAST);
        checkAsked(route, tool);
        assert.equal(testbed.sent().choice, tool ?? "auto");
      });
    }

    // By a tool it cannot be streamed: LangChain then parses the first piece of the arguments as if it were the last.
    test(`LangChain: withStructuredOutput() by jsonSchema streams, ${route.name}`, async () => {
      script(route);
      const model = connect().withStructuredOutput(Forecast, { method: "jsonSchema" });
      const steps = await collect(await model.stream("Report"));
      assert.deepEqual(steps.at(-1), FORECAST);
      checkAsked(route);
    });

    const client = () => new Anthropic({ baseURL: testbed.url, apiKey: CLIENT_KEY, maxRetries: 0 });
    const format = zodOutputFormat(Forecast);
    const body = {
      model: route.model,
      max_tokens: 1024,
      messages: [{ role: "user" as const, content: "Report" }],
      output_config: { format },
    };

    test(`SDK 1.x: messages.parse() parses it, ${route.name}`, async () => {
      script(route);
      assert.deepEqual((await client().messages.parse(body)).parsed_output, FORECAST);
      assert.deepEqual(withoutAddedTypes(checkAsked(route)), format.schema);
    });

    test(`SDK 1.x: messages.stream() gives it in pieces, ${route.name}`, async () => {
      script(route);
      const stream = client().messages.stream(body);
      const pieces: string[] = [];
      stream.on("text", (piece) => void pieces.push(piece));
      assert.deepEqual((await stream.finalMessage()).parsed_output, FORECAST);
      assert.ok(pieces.length > 2);
      assert.equal(pieces.join(""), JSON.stringify(FORECAST));
      assert.deepEqual(withoutAddedTypes(checkAsked(route)), format.schema);
    });
  }
});

/** Removes the types that the gateway adds to an `enum`: strict mode requires them, and the SDK leaves them out. */
function withoutAddedTypes(schema: unknown): unknown {
  return JSON.parse(JSON.stringify(schema), (_key, value: unknown) => {
    if (typeof value !== "object" || value === null || !("enum" in value) || !("type" in value)) return value;
    const { type: _type, ...rest } = value;
    return rest;
  });
}

const Nested = z.looseObject({
  properties: z.looseObject({
    station: z.looseObject({
      properties: z.looseObject({ tags: z.looseObject({ type: z.literal("array") }) }),
    }),
    days: z.looseObject({
      items: z.looseObject({
        properties: z.looseObject({ degrees: z.looseObject({ type: z.array(z.string()) }) }),
        required: z.array(z.string()),
      }),
    }),
  }),
});

/** Checks that a schema still has its innermost constraints. */
function checkNested(schema: unknown): void {
  const { properties: { degrees }, required } = Nested.parse(schema).properties.days.items;
  assert.deepEqual(required, ["sky", "degrees"]);
  assert.deepEqual(degrees.type, ["number", "null"]);
}
