import assert from "node:assert/strict";
import { describe } from "node:test";
import { setPython, testPython } from "./python.ts";
import { NO_PYTHON } from "./home.ts";
import { toReturned } from "../kit/reasoning.ts";
import { CITIES, greeting, report, twoCalls } from "../kit/scenarios.ts";
import { CLIENT_KEY, ROUTES, setUpTestbed } from "../kit/testbed.ts";
import { call, refuse, reply, type Thinking } from "../../kit/model/turns.ts";

const THINKING: Thinking = {
  pieces: ["Zürich", " first 🙂"],
  signature: "EokHCmUIDxgCKkBX0fNi",
  sealed: "gAAAAABpQ2VjcmV0LTE=",
};

const REPORT = { city: "Zürich", days: [{ sky: "rain", degrees: null }] };

describe("Pydantic AI", { skip: NO_PYTHON }, () => {
  const testbed = setUpTestbed();
  const runCase = setPython("agents.py", testbed);

  for (const route of ROUTES) {
    describe(route.name, () => {
      /** Plays a case of the script. */
      const play = (name: string): Promise<void> => runCase(name, route.model);

      for (const name of ["text", "stream", "count_tokens"]) {
        testPython(name, async () => {
          testbed.upstream.script(greeting);
          await play(name);
          assert.equal(testbed.upstream.received[0]?.path, route.path);
          assert.equal(testbed.sent().user, "Greet me");
          assert.ok(!JSON.stringify(testbed.upstream.received[0]?.headers).includes(CLIENT_KEY));
        });
      }

      testPython("runs two tools at once, thinks, and goes on", async () => {
        testbed.upstream.script(
          { ...twoCalls(route), thinking: THINKING },
          report,
          reply({ text: ["Yes."] }),
        );
        await play("tools");
        for (const turn of [1, 2]) {
          const { calls, results, reasoning } = testbed.sent(turn);
          assert.deepEqual(calls, CITIES.map((input, at) => ({ id: route.ids[at], name: "weather", input })));
          assert.deepEqual(
            results,
            CITIES.map(({ city }, at) => ({ id: route.ids[at], text: `rain in ${city}` })),
          );
          assert.deepEqual(reasoning, [toReturned(THINKING, route), []].slice(0, turn));
        }
      });

      testPython("an object by a tool, which it asks for again when it is wrong", async () => {
        const [one, two] = route.ids;
        testbed.upstream.script(
          reply({ tools: [call(one, "report", { city: "Zürich" })] }),
          reply({ tools: [call(two, "report", REPORT)] }),
        );
        await play("by_tool");
        assert.deepEqual(testbed.sent(1).tools, ["report"]);
        assert.equal(testbed.sent(1).choice, "any");
        assert.equal(testbed.sent(1).results[0]?.id, one);
        assert.match(testbed.sent(1).results[0]?.text ?? "", /days/);
      });

      testPython("an object by a format", async () => {
        testbed.upstream.script(reply({ text: [JSON.stringify(REPORT)] }));
        await play("by_format");
        assert.match(JSON.stringify(testbed.sent().schema), /"days"/);
      });

      testPython("an error with its status, type and words", async () => {
        testbed.upstream.always(refuse(402, "billing_error", "Insufficient credits"));
        await play("refused");
        assert.equal(testbed.upstream.received.length, 1);
      });
    });
  }
});
