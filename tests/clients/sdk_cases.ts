import assert from "node:assert/strict";
import { describe } from "node:test";
import { z } from "zod";
import { checkEvents, parseBlocks } from "./answers.ts";
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
} from "./scenarios.ts";
import type { Body, ErrorName, Image, Message, Options, Param, Sdk } from "./sdk.ts";
import { CLIENT_KEY, GATEWAY_KEY, type Road, ROADS, setStage, test } from "./stage.ts";
import { hold, type Refuse, refuse, say, tooLong, tooMany } from "./turns.ts";
import { MODELS } from "./upstream.ts";

/** Every test of the official SDK, for one of its majors. */
export function testSdk(sdk: Sdk): void {
  describe(sdk.name, () => {
    const stage = setStage();
    const tools = [{ name: "weather", description: "Tells the weather", input_schema: WEATHER_INPUT }];
    const connect = (options: Partial<Options> = {}) =>
      sdk.connect({ baseURL: stage.url, apiKey: CLIENT_KEY, authToken: null, maxRetries: 0, ...options });
    for (const road of ROADS) {
      const ask = (more: Partial<Body> = {}): Body => ({
        model: road.model,
        max_tokens: 1024,
        messages: [{ role: "user", content: "Greet me" }],
        ...more,
      });

      describe(road.name, () => {
        test("messages.create() returns the whole text", async () => {
          stage.upstream.script(greeting);
          checkGreeting(await connect().messages.create(ask()), road);
          const { asked } = stage.upstream;
          assert.deepEqual(asked.map(({ path }) => path), [road.path]);
          assert.equal(stage.sent().model, road.model);
          assert.equal(stage.sent().user, "Greet me");
          assert.equal(stage.sent().key, GATEWAY_KEY);
          assert.ok(
            !JSON.stringify(asked[0]?.headers).includes(CLIENT_KEY),
            "the client's key went upstream",
          );
        });

        test("beta.messages.create() returns the whole text", async () => {
          stage.upstream.script(greeting);
          checkGreeting(await connect().beta.messages.create(ask()), road);
        });

        test("messages.stream() gives the events in order, and the same message", async () => {
          stage.upstream.script(greeting);
          const stream = connect().messages.stream(ask());
          const events = await collect(stream);
          assert.equal(checkEvents(events).join(""), TEXT);
          checkGreeting(await stream.finalMessage(), road);
        });

        test("messages.stream() shows thinking once, and the upstream gets it back", async () => {
          const thinking = {
            pieces: ["The user wants", " a greeting 🙂"],
            signature: "EokHCmUIDxgCKkBX0fNi",
          };
          stage.upstream.script(say({ thinking, text: PIECES }), report);
          const message = await connect().messages.stream(ask()).finalMessage();
          const content = parseBlocks(message.content);
          assert.deepEqual(content.map(({ type }) => type), ["thinking", "text"]);
          const [first] = content;
          assert.ok(first?.type === "thinking");
          assert.equal(first.thinking, "The user wants a greeting 🙂");
          assert.notEqual(first.signature, "");
          if (road.name === "native") assert.equal(first.signature, thinking.signature);

          const messages = [...ask().messages, { role: "assistant" as const, content }];
          await connect().messages.create(
            ask({ messages: [...messages, { role: "user", content: "Go on" }] }),
          );
          assert.equal(stage.sent(1).thinking, "The user wants a greeting 🙂");
        });

        for (const streamed of [false, true]) {
          test(`two tool calls at once go round ${streamed ? "streamed" : "in one piece"}`, async () => {
            stage.upstream.script(twoCalls(road), report);
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

            const sent = stage.sent(1);
            assert.deepEqual(sent.tools, ["weather"]);
            assert.deepEqual(
              sent.calls,
              CITIES.map((input, at) => ({ id: road.ids[at], name: "weather", input })),
            );
            const told = new Map(sent.results.map(({ id, text }) => [id, text]));
            assert.equal(told.get(road.ids[0]), WEATHER[0]);
            // A chat completion has no field for a failed result, so its text may say so.
            assert.ok(
              told.get(road.ids[1])?.endsWith(WEATHER[1]),
              `the upstream was told ${told.get(road.ids[1])}`,
            );
            assert.equal(told.size, 2);
          });
        }

        test("a tool call without arguments has an empty input", async () => {
          stage.upstream.script(say({ tools: [{ id: road.ids[0], name: "now", input: [""] }] }));
          const message = await connect().messages.stream(ask()).finalMessage();
          assert.deepEqual(
            parseBlocks(message.content).map((block) => "input" in block && block.input),
            [{}],
          );
        });

        test("an image in a message and one in a tool result reach the upstream", async () => {
          stage.upstream.script(report);
          const image: Image = {
            type: "image",
            source: { type: "base64", media_type: "image/png", data: PNG },
          };
          const shown = [{ type: "text" as const, text: "a picture" }, image];
          const [id] = road.ids;
          await connect().messages.create(ask({
            messages: [
              { role: "user", content: [{ type: "text", text: "Compare" }, image] },
              { role: "assistant", content: [{ type: "tool_use", id, name: "look", input: {} }] },
              { role: "user", content: [{ type: "tool_result", tool_use_id: id, content: shown }] },
            ],
          }));
          assert.deepEqual(
            stage.sent().images,
            Array(2).fill(`data:image/png;base64,${PNG}`),
          );
          assert.match(stage.sent().results[0]?.text ?? "", /a picture/);
        });

        test("system, stop sequences and sampling reach the upstream", async () => {
          stage.upstream.script(say({ text: ["1 2 3 "], stop: "stop_sequence" }));
          const sampling = sdk.sampling ? { temperature: 0.5, top_p: 0.9, top_k: 40 } : {};
          const message = await connect().messages.create(
            ask({ system: "Count", stop_sequences: ["4"], ...sampling }),
          );
          assert.equal(message.stop_reason, "stop_sequence");
          assert.equal(message.stop_sequence, "4");
          assert.equal(stage.sent().system, "Count");
          assert.deepEqual(stage.sent().stop, ["4"]);
          const none = { temperature: undefined, top_p: undefined, top_k: undefined };
          assert.deepEqual(stage.sent().sampling, { ...none, ...sampling });
        });

        test("messages.countTokens() counts without asking the upstream, 26 at once", async () => {
          const messages = ask().messages;
          const few = await connect().messages.countTokens({ model: road.model, messages });
          assert.ok(few.input_tokens > 0);
          const counts = await Promise.all(
            Array.from({ length: 26 }, () =>
              connect().messages.countTokens({
                model: road.model,
                messages,
                system: "Answer in one word. ".repeat(50),
                tools,
              })),
          );
          assert.equal(new Set(counts.map(({ input_tokens }) => input_tokens)).size, 1);
          assert.ok((counts[0]?.input_tokens ?? 0) > few.input_tokens + 100);
          assert.deepEqual(stage.upstream.asked, []);
        });

        test("models.retrieve() finds the model", async () => {
          const model = await connect().models.retrieve(road.model);
          assert.equal(model.type, "model");
          assert.equal(model.id, road.model);
          assert.notEqual(model.display_name, "");
        });

        for (const { refused, name, status = refused.status, words = refused.message } of REFUSALS) {
          test(`the upstream's ${refused.status} "${refused.message}" throws ${name}`, async () => {
            stage.upstream.always(refused);
            const again = status === 429 || status >= 500;
            const error = await rejection(connect({ maxRetries: again ? 0 : 2 }).messages.create(ask()));
            assert.ok(error instanceof sdk.errors[name], `it is ${error}`);
            const seen = ErrorFields.parse(error);
            assert.equal(seen.status, status);
            assert.equal(seen.type, refused.type);
            assert.ok(seen.message.includes(words), `it says ${seen.message}`);
            assert.ok(seen.requestID, "it has no request id");
            assert.equal(seen.headers?.get("retry-after"), refused.headers["retry-after"] ?? null);
            if (!again) assert.equal(stage.upstream.asked.length, 1, "the client has tried again");
          });
        }

        test("an error before the stream is a status, not an event", async () => {
          stage.upstream.always(tooMany(7));
          const error = await rejection(collect(connect().messages.stream(ask())));
          assert.ok(error instanceof sdk.errors.RateLimitError, `it is ${error}`);
        });

        test("the SDK tries again after a 429", async () => {
          stage.upstream.script(tooMany(1), greeting);
          checkGreeting(await connect({ maxRetries: 1 }).messages.create(ask()), road);
        });

        for (const ending of ["error", "cut"] as const) {
          test(`a stream that ends in ${ending === "cut" ? "a cut" : "an error"} gives its text, then an APIError`, async () => {
            stage.upstream.script(say({ text: PIECES, ending }));
            const events: { type: string }[] = [];
            const error = await rejection(collect(connect().messages.stream(ask()), events));
            assert.ok(error instanceof sdk.errors.APIError, `it is ${error}`);
            assert.match(ErrorFields.parse(error).type ?? "", /^(api|overloaded|timeout)_error$/);
            assert.deepEqual(events[0]?.type, "message_start");
            assert.match(JSON.stringify(events), /Hello/);
            assert.ok(events.every(({ type }) => type !== "message_stop"), "the stream pretends to be whole");
          });
        }

        test("a stream that the client leaves is left upstream too", async () => {
          stage.upstream.script(say({ text: PIECES, ending: "silence" }));
          const controller = new AbortController();
          const stream = connect().messages.stream(ask(), { signal: controller.signal });
          const error = await rejection((async () => {
            for await (const { type } of stream) if (type === "content_block_delta") controller.abort();
          })());
          assert.ok(error instanceof sdk.errors.APIUserAbortError, `it is ${error}`);
          assert.equal(await stage.upstream.asked[0]?.ended, "left");
        });

        for (const streamed of [false, true]) {
          test(`a client that leaves a silent upstream is followed, ${streamed ? "streamed" : "in one piece"}`, async () => {
            stage.upstream.script(hold());
            const controller = new AbortController();
            const options = { signal: controller.signal };
            const arrived = stage.upstream.next();
            const failed = rejection(
              streamed
                ? collect(connect().messages.stream(ask(), options))
                : connect().messages.create(ask(), options),
            );
            const { ended } = await arrived;
            controller.abort();
            assert.ok(await failed instanceof sdk.errors.APIUserAbortError);
            assert.equal(await ended, "left");
          });
        }
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
        const failing of [
          connect().models.retrieve("openai/gpt-55"),
          connect().messages.create({ model: "openai/gpt-55", max_tokens: 16, messages }),
        ]
      ) {
        const error = await rejection(failing);
        assert.ok(error instanceof sdk.errors.NotFoundError, `it is ${error}`);
        assert.match(error.message, /openai\/gpt-5\b(?!5)/);
      }
      assert.deepEqual(stage.upstream.asked, []);
    });

    test("an empty list of messages is a BadRequestError, and nothing reaches the upstream", async () => {
      const empty = { model: "openai/gpt-5", max_tokens: 16, messages: [] };
      const error = await rejection(connect().messages.create(empty));
      assert.ok(error instanceof sdk.errors.BadRequestError, `it is ${error}`);
      assert.match(error.message, /messages/);
      assert.deepEqual(stage.upstream.asked, []);
    });
  });

  describe(`${sdk.name}, the gateway without a key`, { skip: NO_SECOND_GATEWAY }, () => {
    const stage = setStage({});
    for (const road of ROADS) {
      for (const auth of [{ apiKey: CLIENT_KEY, authToken: null }, { apiKey: null, authToken: CLIENT_KEY }]) {
        test(`${auth.apiKey === null ? "authToken" : "apiKey"} becomes the upstream's key, ${road.name}`, async () => {
          stage.upstream.script(greeting);
          const client = sdk.connect({ baseURL: stage.url, maxRetries: 0, ...auth });
          await client.messages.create({
            model: road.model,
            max_tokens: 16,
            messages: [{ role: "user", content: "Greet me" }],
          });
          assert.equal(stage.sent().key, CLIENT_KEY);
        });
      }
    }
  });
}

const NO_SECOND_GATEWAY = process.env["GATEWAY_URL"] === undefined
  ? false
  : "GATEWAY_URL names one gateway; this needs another, without a key";

interface Refusal {
  refused: Refuse;
  name: ErrorName;
  /** The status that the client sees, if it is not the upstream's. */
  status?: number;
  /** The words that must be left of the upstream's, if not all. */
  words?: string;
}

const REFUSALS: Refusal[] = [
  { refused: tooMany(7), name: "RateLimitError" },
  { refused: tooLong(140_000, 131_072), name: "BadRequestError" },
  { refused: refuse(400, "invalid_request_error", "Invalid schema for 'weather'"), name: "BadRequestError" },
  { refused: refuse(401, "authentication_error", "User not found."), name: "AuthenticationError", words: "" },
  { refused: refuse(402, "billing_error", "Insufficient credits"), name: "PaymentRequiredError" },
  { refused: refuse(403, "permission_error", "It requires moderation"), name: "PermissionDeniedError" },
  { refused: refuse(404, "not_found_error", "No endpoints support tool use"), name: "NotFoundError" },
  { refused: refuse(502, "api_error", "Provider returned error"), name: "InternalServerError" },
  { refused: refuse(503, "overloaded_error", "No instances"), name: "InternalServerError", status: 529 },
];

const ErrorFields = z.looseObject({
  status: z.number().optional(),
  type: z.string().nullish(),
  message: z.string(),
  requestID: z.string().nullish(),
  headers: z.instanceof(Headers).optional(),
});

function checkGreeting(message: Message, road: Road): void {
  assert.match(message.id, /^msg_/);
  assert.equal(message.role, "assistant");
  assert.equal(message.model, road.model);
  assert.deepEqual(parseBlocks(message.content), [{ type: "text", text: TEXT }]);
  assert.equal(message.stop_reason, "end_turn");
  assert.equal(message.stop_sequence, null);
  assert.equal(message.usage.input_tokens, 200);
  assert.equal(message.usage.cache_read_input_tokens, 1000);
  assert.equal(message.usage.output_tokens, 42);
}

async function collect<T>(source: AsyncIterable<T>, into: T[] = []): Promise<T[]> {
  for await (const item of source) into.push(item);
  return into;
}

async function rejection(failing: PromiseLike<unknown>): Promise<unknown> {
  return await failing.then(
    (value) => assert.fail(`it succeeded: ${JSON.stringify(value)}`),
    (error) => error,
  );
}
