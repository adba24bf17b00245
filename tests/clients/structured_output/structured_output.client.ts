import { createAnthropic } from "@ai-sdk/anthropic";
import Anthropic from "@anthropic-ai/sdk";
import { zodOutputFormat } from "@anthropic-ai/sdk/helpers/zod";
import { ChatAnthropic } from "@langchain/anthropic";
import { generateObject, streamObject } from "ai";
import assert from "node:assert/strict";
import { describe } from "node:test";
import { z } from "zod";
import { collect } from "../sdk/sdk.ts";
import { CLIENT_KEY, NATIVE, type Road, ROADS, setStage, test, TRANSLATED } from "../kit/stage.ts";
import { call, type Say, say } from "../../kit/model/turns.ts";

/** Objects in arrays in objects, a choice of words, and what may be null. */
const Forecast = z.object({
  station: z.object({ name: z.string(), tags: z.array(z.string()) }),
  days: z.array(z.object({ sky: z.enum(["rain", "sun"]), degrees: z.number().nullable() })),
});
const FORECAST: z.infer<typeof Forecast> = {
  station: { name: "Zürich 🙂", tags: ["city", 'wörld "quoted" \\ 漢字'] },
  days: [{ sky: "rain", degrees: 12.5 }, { sky: "sun", degrees: null }],
};
const JSON_PIECES = JSON.stringify(FORECAST).match(/[^]{1,17}/gu) ?? [];

/** The names that lead a client to ask in one way or the other, on either road. */
const NAMES: { model: string; road: Road; by: "a tool" | "a format" }[] = [
  { model: "openai/gpt-5", road: TRANSLATED, by: "a tool" },
  { model: "claude-of-the-house", road: TRANSLATED, by: "a format" },
  { model: "house-model", road: NATIVE, by: "a tool" },
  { model: "anthropic/claude-sonnet-4.5", road: NATIVE, by: "a format" },
];

// The AI SDK warns of ids it does not know with every call; all of them are strange to it here.
Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });

describe("a nested object", () => {
  const stage = setStage();

  /** Scripts the object as a call of the named tool, or as text where there is no tool. */
  const script = (road: Road, tool?: string): void => {
    const answer: Partial<Say> = tool === undefined
      ? { text: JSON_PIECES }
      : { tools: [call(road.ids[0], tool, FORECAST)] };
    stage.upstream.script(say(answer));
  };

  /** Checks how the upstream was asked for it; returns the schema that it was given. */
  const checkAsked = (road: Road, tool?: string): unknown => {
    assert.deepEqual(stage.upstream.asked.map(({ path }) => path), [road.path]);
    const { tools, schema, schemas } = stage.sent();
    assert.deepEqual(tools, tool === undefined ? [] : [tool]);
    const given = tool === undefined ? schema : schemas[0];
    checkNested(given);
    return given;
  };

  for (const { model, road, by } of NAMES) {
    const tool = by === "a tool" ? "json" : undefined;
    const ask = () => ({
      model: createAnthropic({ baseURL: `${stage.url}/v1`, apiKey: CLIENT_KEY })(model),
      schema: Forecast,
      prompt: "Report",
      maxRetries: 0,
    });

    test(`AI SDK: generateObject() of ${model} by ${by}`, async () => {
      script(road, tool);
      assert.deepEqual((await generateObject(ask())).object, FORECAST);
      checkAsked(road, tool);
    });

    test(`AI SDK: streamObject() of ${model} by ${by} grows`, async () => {
      script(road, tool);
      const result = streamObject({ ...ask(), onError: ({ error }) => assert.fail(String(error)) });
      const partial = await collect(result.partialObjectStream);
      assert.ok(partial.length > 2, `it came in ${partial.length} steps`);
      assert.deepEqual(partial.at(-1), FORECAST);
      assert.deepEqual(await result.object, FORECAST);
      checkAsked(road, tool);
    });
  }

  for (const road of ROADS) {
    const connect = () =>
      new ChatAnthropic({
        model: road.model,
        apiKey: CLIENT_KEY,
        anthropicApiUrl: stage.url,
        maxRetries: 0,
      });

    for (const [method, tool] of [["functionCalling", "forecast"], ["jsonSchema", undefined]] as const) {
      test(`LangChain: withStructuredOutput() by ${method}, ${road.name}`, async () => {
        script(road, tool);
        const model = connect().withStructuredOutput(Forecast, { name: "forecast", method });
        assert.deepEqual(await model.invoke("Report"), FORECAST);
        checkAsked(road, tool);
        assert.equal(stage.sent().choice, tool ?? "auto");
      });
    }

    // By a tool it cannot be streamed: LangChain then parses the first piece of the arguments as if it were the last.
    test(`LangChain: withStructuredOutput() by jsonSchema streams, ${road.name}`, async () => {
      script(road);
      const model = connect().withStructuredOutput(Forecast, { method: "jsonSchema" });
      const steps = await collect(await model.stream("Report"));
      assert.deepEqual(steps.at(-1), FORECAST);
      checkAsked(road);
    });

    const client = () => new Anthropic({ baseURL: stage.url, apiKey: CLIENT_KEY, maxRetries: 0 });
    const format = zodOutputFormat(Forecast);
    const body = {
      model: road.model,
      max_tokens: 1024,
      messages: [{ role: "user" as const, content: "Report" }],
      output_config: { format },
    };

    test(`SDK 1.x: messages.parse() parses it, ${road.name}`, async () => {
      script(road);
      assert.deepEqual((await client().messages.parse(body)).parsed_output, FORECAST);
      assert.deepEqual(withoutAddedTypes(checkAsked(road)), format.schema);
    });

    test(`SDK 1.x: messages.stream() gives it in pieces, ${road.name}`, async () => {
      script(road);
      const stream = client().messages.stream(body);
      const pieces: string[] = [];
      stream.on("text", (piece) => void pieces.push(piece));
      assert.deepEqual((await stream.finalMessage()).parsed_output, FORECAST);
      assert.ok(pieces.length > 2);
      assert.equal(pieces.join(""), JSON.stringify(FORECAST));
      assert.deepEqual(withoutAddedTypes(checkAsked(road)), format.schema);
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

/** Checks that a schema still says what is deep inside. */
function checkNested(schema: unknown): void {
  const { properties: { degrees }, required } = Nested.parse(schema).properties.days.items;
  assert.deepEqual(required, ["sky", "degrees"]);
  assert.deepEqual(degrees.type, ["number", "null"]);
}
