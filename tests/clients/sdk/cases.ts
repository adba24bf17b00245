import assert from "node:assert/strict";
import { describe } from "node:test";
import { greeting } from "../kit/scenarios.ts";
import { collect, type Play, rejection, type Sdk } from "./sdk.ts";
import { testAnswers } from "./answers.ts";
import { testFailures } from "./failures.ts";
import { CLIENT_KEY, ROUTES, setUpTestbed, test } from "../kit/testbed.ts";
import { MODELS } from "../kit/upstream.ts";

/** Every test of the official SDK, for one of its majors. */
export function testSdk(sdk: Sdk): void {
  describe(sdk.name, () => {
    const testbed = setUpTestbed();
    const connect: Play["connect"] = (options = {}) =>
      sdk.connect({ baseURL: testbed.url, apiKey: CLIENT_KEY, authToken: null, maxRetries: 0, ...options });
    for (const route of ROUTES) {
      const ask: Play["ask"] = (more = {}) => ({
        model: route.model,
        max_tokens: 1024,
        messages: [{ role: "user", content: "Greet me" }],
        ...more,
      });
      describe(route.name, () => {
        testAnswers({ sdk, testbed, route, connect, ask });
        testFailures({ sdk, testbed, route, connect, ask });
      });
    }

    test("models.list() lists what the upstream has", async () => {
      const models = await collect(connect().models.list());
      for (const id of MODELS) assert.ok(models.some((model) => model.id === id), `${id} is missing`);
      assert.ok(models.every(({ type, display_name }) => type === "model" && display_name !== ""));
    });

    test("a model that nobody has is a NotFoundError that names the nearest", async () => {
      await collect(connect().models.list());
      const messages = [{ role: "user" as const, content: "Greet me" }];
      for (
        const ask of [
          () => connect().models.retrieve("openai/gpt-55"),
          () => connect().messages.create({ model: "openai/gpt-55", max_tokens: 16, messages }),
        ]
      ) {
        const error = await rejection(ask());
        assert.ok(error instanceof sdk.errors.NotFoundError, `it is ${error}`);
        assert.match(error.message, /openai\/gpt-5\b(?!5)/);
      }
      assert.deepEqual(testbed.upstream.received, []);
    });

    test("an empty list of messages is a BadRequestError, and nothing reaches the upstream", async () => {
      const empty = { model: "openai/gpt-5", max_tokens: 16, messages: [] };
      const error = await rejection(connect().messages.create(empty));
      assert.ok(error instanceof sdk.errors.BadRequestError, `it is ${error}`);
      assert.match(error.message, /messages/);
      assert.deepEqual(testbed.upstream.received, []);
    });
  });

  describe(`${sdk.name}, the gateway without a key`, { skip: NO_SECOND_GATEWAY }, () => {
    const testbed = setUpTestbed({});
    for (const route of ROUTES) {
      for (const auth of [{ apiKey: CLIENT_KEY, authToken: null }, { apiKey: null, authToken: CLIENT_KEY }]) {
        test(`${auth.apiKey === null ? "authToken" : "apiKey"} becomes the upstream's key, ${route.name}`, async () => {
          testbed.upstream.script(greeting);
          const client = sdk.connect({ baseURL: testbed.url, maxRetries: 0, ...auth });
          await client.messages.create({
            model: route.model,
            max_tokens: 16,
            messages: [{ role: "user", content: "Greet me" }],
          });
          assert.equal(testbed.sent().key, CLIENT_KEY);
        });
      }
    }
  });
}

const NO_SECOND_GATEWAY = process.env["GATEWAY_URL"] === undefined
  ? false
  : "GATEWAY_URL names one gateway; this needs another, without a key";
