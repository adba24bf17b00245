import Anthropic from "@anthropic-ai/sdk";
import assert from "node:assert/strict";
import { describe } from "node:test";
import { parseBlocks } from "../kit/answers.ts";
import { toReturned } from "../kit/reasoning.ts";
import { CITIES, TEXT, WEATHER, WEATHER_INPUT } from "../kit/scenarios.ts";
import { CLIENT_KEY, NATIVE, type Route, setUpTestbed, test, TRANSLATED } from "../kit/testbed.ts";
import { call, reply, type Thinking } from "../../kit/model/turns.ts";

/** Another model on the translated route. */
const GROK: Route = { ...TRANSLATED, model: "x-ai/grok-4.1-fast", ids: ["view:1", "call-2"] };

/** The model with which a conversation begins, and the one it changes to before it returns. */
const SWITCHES: [Route, Route][] = [[TRANSLATED, NATIVE], [NATIVE, TRANSLATED], [TRANSLATED, GROK]];

/** The thinking of the first model, of the second, and of the first after the return. */
const THOUGHTS: [Thinking, Thinking, Thinking] = [
  {
    pieces: ["Two cities:", " Zürich first"],
    signature: "EokHCmUIDxgCKkBX0fNi",
    sealed: "gAAAAABpQ2VjcmV0LTE=",
  },
  { pieces: ["One is left:", " Tokyo"], signature: "EqMDCkYIBRgCKkA9fQ==", sealed: "gAAAAABpQ2VjcmV0LTI=" },
  { pieces: ["Both are", " told of"], signature: "ErUBCkYIBRgCIkD5x/0=", sealed: "gAAAAABpQ2VjcmV0LTM=" },
];

describe("@anthropic-ai/sdk 1.x, the model is changed amid tool calls", () => {
  const testbed = setUpTestbed();

  for (const [first, second] of SWITCHES) {
    test(`from ${first.model} to ${second.model} and back`, async () => {
      const client = new Anthropic({ baseURL: testbed.url, apiKey: CLIENT_KEY, maxRetries: 0 });
      testbed.upstream.script(
        reply({
          thinking: THOUGHTS[0],
          text: ["I look."],
          tools: [call(first.ids[0], "weather", CITIES[0])],
        }),
        reply({ thinking: THOUGHTS[1], tools: [call(second.ids[1], "weather", CITIES[1])] }),
        reply({ thinking: THOUGHTS[2], text: ["It rains."] }),
        reply({ text: [TEXT] }),
      );
      const messages: Anthropic.MessageParam[] = [{ role: "user", content: "How is the weather?" }];
      /** The signatures and seals that the client was given, turn by turn. */
      const marks: string[][] = [];
      /**
       * Sends a request to a model, and adds the answer and a reply or the result of its call. Returns the reported
       * losses.
       */
      const ask = async ({ model }: Route, next: string): Promise<string[]> => {
        const asking = client.messages.create({ model, max_tokens: 8000, messages, ...SETTINGS });
        const { data: { content }, response } = await asking.withResponse();
        messages.push({ role: "assistant", content });
        marks.push(
          parseBlocks(content).flatMap((block) =>
            block.type === "thinking" ? block.signature : block.type === "redacted_thinking" ? block.data : []
          ),
        );
        const [id] = parseBlocks(content).flatMap((block) => "id" in block ? block.id : []);
        const result = { type: "tool_result" as const, tool_use_id: id ?? "", content: next };
        messages.push({ role: "user", content: id === undefined ? next : [result] });
        return response.headers.get("x-gateway-loss")?.split(",").map((entry) => entry.trim()) ?? [];
      };
      const lost = [
        await ask(first, WEATHER[0]),
        await ask(second, WEATHER[1]),
        await ask(first, "And now?"),
        await ask(second, ""),
      ];

      const [a, b] = THOUGHTS;
      const kept = [[], [[]], [toReturned(a, first), []], [[], toReturned(b, second), []]];
      for (const [turn, reasoning] of kept.entries()) {
        assert.deepEqual(testbed.sent(turn).reasoning, reasoning, `request ${turn}`);
        const body = JSON.stringify(testbed.upstream.received[turn]?.body);
        const others = THOUGHTS.filter((_, at) => at % 2 !== turn % 2);
        // Claude gets its own signatures back; a seal of the gateway is no upstream's business.
        const own = testbed.upstream.received[turn]?.path === NATIVE.path;
        const given = marks.slice(0, turn).filter((_, at) => !own || at % 2 !== turn % 2).flat();
        const thoughts = others.flatMap((
          { pieces, signature, sealed = signature },
        ) => [...pieces, signature, sealed]);
        for (const words of [...given, ...thoughts]) {
          assert.ok(!body.includes(words), `request ${turn} holds "${words}"`);
        }
      }
      assert.ok(marks.slice(0, 3).every((given) => given.length > 0), "the client was given no signature");
      for (const [turn, at] of [[1, [1]], [2, [3]], [3, [1, 5]]] as const) {
        for (const message of at) {
          assert.ok(
            lost[turn]?.includes(`messages.${message}.content.0;dropped`),
            `request ${turn} lost ${lost[turn]}`,
          );
        }
      }
      for (const turn of [1, 2, 3]) {
        const { calls, results } = testbed.sent(turn);
        const done = Math.min(turn, 2);
        assert.deepEqual(calls.map(({ input }) => input), CITIES.slice(0, done));
        assert.deepEqual(results.map(({ text }) => text), WEATHER.slice(0, done));
        assert.deepEqual(calls.map(({ id }) => id), results.map(({ id }) => id));
        if (testbed.upstream.received[turn]?.path === NATIVE.path) {
          for (const { id } of calls) assert.match(id, /^[a-zA-Z0-9_-]{1,64}$/);
        }
      }
    });
  }
});

const SETTINGS = {
  thinking: { type: "enabled" as const, budget_tokens: 2048 },
  tools: [{ name: "weather", description: "Tells the weather", input_schema: WEATHER_INPUT }],
};
