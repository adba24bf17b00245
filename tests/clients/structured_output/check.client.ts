import { createAnthropic } from "@ai-sdk/anthropic";
import Anthropic, { APIError } from "@anthropic-ai/sdk";
import { betaZodOutputFormat } from "@anthropic-ai/sdk/helpers/beta/zod";
import { zodOutputFormat } from "@anthropic-ai/sdk/helpers/zod";
import { ChatAnthropic } from "@langchain/anthropic";
import { generateText, Output } from "ai";
import Anthropic0 from "anthropic-sdk-0";
import { betaZodOutputFormat as betaZodOutputFormat0 } from "anthropic-sdk-0/helpers/beta/zod";
import { zodOutputFormat as zodOutputFormat0 } from "anthropic-sdk-0/helpers/zod";
import assert from "node:assert/strict";
import { describe } from "node:test";
import { z } from "zod";
import { CLIENT_KEY, ROUTES, setUpTestbed, test, TRANSLATED } from "../kit/testbed.ts";
import { call, reply } from "../../kit/model/turns.ts";

/** Has parts that a strict schema cannot have: an optional property, limits and a pattern that looks ahead. */
const Order = z.object({
  customer: z.string().min(2),
  email: z.email(),
  note: z.string().optional(),
  items: z.array(z.object({ sku: z.enum(["bee", "hive"]), qty: z.int().min(1) })).min(1),
});
const ORDER: z.infer<typeof Order> = {
  customer: "Ann",
  email: "ann@example.com",
  items: [{ sku: "bee", qty: 1 }, { sku: "hive", qty: 2 }],
};
const VALID = JSON.stringify(ORDER);
const INVALID = VALID.replace('"qty":2', '"qty":"two"');
/** Answer of an upstream in strict mode, which has no optional properties. */
const WITH_NULL = JSON.stringify({ ...ORDER, note: null });

Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });

describe("an answer that is not valid at first", () => {
  const testbed = setUpTestbed();
  const script = (...texts: string[]) =>
    testbed.upstream.script(...texts.map((text) => reply({ text: [text] })));

  for (const route of ROUTES) {
    const valid = route === TRANSLATED ? WITH_NULL : VALID;
    const options = () => ({ baseURL: testbed.url, apiKey: CLIENT_KEY, maxRetries: 2 });
    const body = {
      model: route.model,
      max_tokens: 1024,
      messages: [{ role: "user" as const, content: "Report" }],
    };

    /** The clients, each with its own way to ask for an object. */
    const parsers: Record<string, () => Promise<unknown>> = {
      "SDK 1.x: messages.parse()": async () => {
        const format = zodOutputFormat(Order);
        const { parsed_output } = await new Anthropic(options()).messages.parse({
          ...body,
          output_config: { format },
        });
        return parsed_output;
      },
      "SDK 1.x: beta.messages.parse()": async () => {
        const format = betaZodOutputFormat(Order);
        const { parsed_output } = await new Anthropic(options()).beta.messages.parse({
          ...body,
          output_config: { format },
        });
        return parsed_output;
      },
      "SDK 0.x: messages.parse()": async () => {
        const format = zodOutputFormat0(Order);
        const { parsed_output } = await new Anthropic0(options()).messages.parse({
          ...body,
          output_config: { format },
        });
        return parsed_output;
      },
      "SDK 0.x: beta.messages.parse()": async () => {
        const { parsed_output } = await new Anthropic0(options()).beta.messages.parse({
          ...body,
          output_format: betaZodOutputFormat0(Order),
        });
        return parsed_output;
      },
      "SDK 1.x: messages.stream()": async () => {
        const format = zodOutputFormat(Order);
        const stream = new Anthropic(options()).messages.stream({ ...body, output_config: { format } });
        return (await stream.finalMessage()).parsed_output;
      },
      "LangChain: withStructuredOutput()": async () => {
        const model = new ChatAnthropic({
          model: route.model,
          apiKey: CLIENT_KEY,
          anthropicApiUrl: testbed.url,
        });
        return await model.withStructuredOutput(Order, { method: "jsonSchema" }).invoke("Report");
      },
    };

    for (const [name, parse] of Object.entries(parsers)) {
      test(`${name} gets it valid, ${route.name}`, async () => {
        script(INVALID, "I am sorry.", valid);
        assert.deepEqual(await parse(), ORDER);
        assert.deepEqual(testbed.upstream.received.map(({ path }) => path), [
          route.path,
          route.path,
          route.path,
        ]);
        assert.match(JSON.stringify(testbed.upstream.received[1]?.body), /\/items\/1\/qty must be integer/);
      });
    }

    test(`SDK 1.x: an answer that stays invalid is an error that is not repeated, ${route.name}`, async () => {
      script(INVALID, INVALID, INVALID, INVALID);
      const format = zodOutputFormat(Order);
      await assert.rejects(
        new Anthropic(options()).messages.parse({ ...body, output_config: { format } }),
        (error: unknown) =>
          error instanceof APIError && error.status === 502 && error.type === "api_error" &&
          error.message.includes("/items/1/qty must be integer"),
      );
      assert.equal(testbed.upstream.received.length, 4);
    });

    test(`SDK 1.x: a list is parsed, ${route.name}`, async () => {
      const list = JSON.stringify(ORDER.items);
      script(route === TRANSLATED ? `{"value":${list}}` : list);
      const format = zodOutputFormat(Order.shape.items);
      const { parsed_output } = await new Anthropic(options()).messages.parse({
        ...body,
        output_config: { format },
      });
      assert.deepEqual(parsed_output, ORDER.items);
    });
  }

  test("AI SDK: Output.object() gets it valid by a format", async () => {
    script(INVALID, WITH_NULL);
    const model = createAnthropic({ baseURL: `${testbed.url}/v1`, apiKey: CLIENT_KEY })(
      "claude-of-the-house",
    );
    const output = Output.object({ schema: Order });
    assert.deepEqual((await generateText({ model, output, prompt: "Report" })).output, ORDER);
    assert.equal(testbed.upstream.received.length, 2);
  });

  test("AI SDK: Output.object() gets the arguments of its tool, valid or not", async () => {
    testbed.upstream.script(reply({ tools: [call(TRANSLATED.ids[0], "json", ORDER)] }));
    const model = createAnthropic({ baseURL: `${testbed.url}/v1`, apiKey: CLIENT_KEY })(TRANSLATED.model);
    const output = Output.object({ schema: Order });
    assert.deepEqual((await generateText({ model, output, prompt: "Report" })).output, ORDER);
  });
});
