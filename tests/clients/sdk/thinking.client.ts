import Anthropic from "@anthropic-ai/sdk";
import assert from "node:assert/strict";
import { describe } from "node:test";
import { parseBlocks } from "../kit/answers.ts";
import { toReturned } from "../kit/reasoning.ts";
import { CITIES, PIECES, TEXT, WEATHER, WEATHER_INPUT } from "../kit/scenarios.ts";
import { CLIENT_KEY, ROUTES, setUpTestbed, test } from "../kit/testbed.ts";
import { call, reply, type Thinking } from "../../kit/model/turns.ts";

/** The thinking of three turns; the second is also encrypted, the third only encrypted. */
const THOUGHTS: [Thinking, Thinking, Thinking] = [
  { pieces: ["Two cities:", " Zürich first 🙂"], signature: "EokHCmUIDxgCKkBX0fNi" },
  { pieces: ["Now", " 東京"], signature: "EqMDCkYIBRgCKkA9fQ==", sealed: "gAAAAABpQ2VjcmV0LTI=" },
  { pieces: [], signature: "ErUBCkYIBRgCIkD5x/0=", sealed: "gAAAAABpX2VjcmV0LTM=" },
];

describe("@anthropic-ai/sdk 1.x, thinking with tools", () => {
  const testbed = setUpTestbed();

  for (const route of ROUTES) {
    for (const streamed of [true, false]) {
      test(`over three turns, ${streamed ? "streamed" : "in one piece"}, ${route.name}`, async () => {
        const client = new Anthropic({ baseURL: testbed.url, apiKey: CLIENT_KEY, maxRetries: 0 });
        testbed.upstream.script(
          reply({
            thinking: THOUGHTS[0],
            text: ["I look."],
            tools: [call(route.ids[0], "weather", CITIES[0])],
          }),
          reply({ thinking: THOUGHTS[1], tools: [call(route.ids[1], "weather", CITIES[1])] }),
          reply({ thinking: THOUGHTS[2], text: PIECES }),
          reply({ text: ["Nothing more."] }),
        );
        const messages: Anthropic.MessageParam[] = [{ role: "user", content: "How is the weather?" }];
        /** Sends a request, and adds the answer unchanged to the conversation. */
        const ask = async (): Promise<Anthropic.Message> => {
          const body = { model: route.model, max_tokens: 8000, messages, ...SETTINGS };
          const answer = streamed
            ? await client.messages.stream(body).finalMessage()
            : await client.messages.create(body);
          messages.push({ role: "assistant", content: answer.content });
          return answer;
        };
        for (const result of WEATHER) {
          const { content, stop_reason } = await ask();
          assert.equal(stop_reason, "tool_use");
          const [tool_use_id = ""] = parseBlocks(content).flatMap((block) => "id" in block ? block.id : []);
          messages.push({ role: "user", content: [{ type: "tool_result", tool_use_id, content: result }] });
        }
        const last = await ask();
        assert.equal(last.stop_reason, "end_turn");
        assert.equal(
          parseBlocks(last.content).flatMap((b) => b.type === "text" ? b.text : []).join(""),
          TEXT,
        );
        messages.push({ role: "user", content: "Is that all?" });
        await ask();

        const back = THOUGHTS.map((thinking) => toReturned(thinking, route));
        for (const turn of [0, 1, 2, 3]) {
          assert.deepEqual(testbed.sent(turn).reasoning, back.slice(0, turn), `request ${turn}`);
        }
        const { calls, results } = testbed.sent(3);
        assert.deepEqual(calls, CITIES.map((input, at) => ({ id: route.ids[at], name: "weather", input })));
        assert.deepEqual(results, WEATHER.map((text, at) => ({ id: route.ids[at], text })));
        const shown = messages.flatMap(({ content }) => typeof content === "string" ? [] : content)
          .flatMap((block) => block.type === "thinking" ? block.thinking : []);
        assert.deepEqual(shown.slice(0, 2), ["Two cities: Zürich first 🙂", "Now 東京"]);
      });
    }
  }
});

const SETTINGS = {
  thinking: { type: "enabled" as const, budget_tokens: 2048 },
  tools: [{ name: "weather", description: "Tells the weather", input_schema: WEATHER_INPUT }],
};
