import assert from "node:assert/strict";
import { describe } from "node:test";
import { setPython, testPython } from "./python.ts";
import { NO_PYTHON } from "./home.ts";
import { toReturned } from "../kit/reasoning.ts";
import { CITIES, greeting, report, twoCalls } from "../kit/scenarios.ts";
import { CLIENT_KEY, ROADS, setStage } from "../kit/stage.ts";
import { call, refuse, say, type Thinking } from "../../kit/model/turns.ts";

const THINKING: Thinking = {
  pieces: ["Zürich", " first 🙂"],
  signature: "EokHCmUIDxgCKkBX0fNi",
  sealed: "gAAAAABpQ2VjcmV0LTE=",
};

const REPORT = { city: "Zürich", days: [{ sky: "rain", degrees: null }] };

describe("Pydantic AI", { skip: NO_PYTHON }, () => {
  const stage = setStage();
  const runCase = setPython("agents.py", stage);

  for (const road of ROADS) {
    describe(road.name, () => {
      /** Plays a case of the script. */
      const play = (name: string): Promise<void> => runCase(name, road.model);

      for (const name of ["text", "stream", "count_tokens"]) {
        testPython(name, async () => {
          stage.upstream.script(greeting);
          await play(name);
          assert.equal(stage.upstream.asked[0]?.path, road.path);
          assert.equal(stage.sent().user, "Greet me");
          assert.ok(!JSON.stringify(stage.upstream.asked[0]?.headers).includes(CLIENT_KEY));
        });
      }

      testPython("runs two tools at once, thinks, and goes on", async () => {
        stage.upstream.script(
          { ...twoCalls(road), thinking: THINKING },
          report,
          say({ text: ["Yes."] }),
        );
        await play("tools");
        for (const turn of [1, 2]) {
          const { calls, results, reasoning } = stage.sent(turn);
          assert.deepEqual(calls, CITIES.map((input, at) => ({ id: road.ids[at], name: "weather", input })));
          assert.deepEqual(
            results,
            CITIES.map(({ city }, at) => ({ id: road.ids[at], text: `rain in ${city}` })),
          );
          assert.deepEqual(reasoning, [toReturned(THINKING, road), []].slice(0, turn));
        }
      });

      testPython("an object by a tool, which it asks for again when it is wrong", async () => {
        const [one, two] = road.ids;
        stage.upstream.script(
          say({ tools: [call(one, "report", { city: "Zürich" })] }),
          say({ tools: [call(two, "report", REPORT)] }),
        );
        await play("by_tool");
        assert.deepEqual(stage.sent(1).tools, ["report"]);
        assert.equal(stage.sent(1).choice, "any");
        assert.equal(stage.sent(1).results[0]?.id, one);
        assert.match(stage.sent(1).results[0]?.text ?? "", /days/);
      });

      testPython("an object by a format", async () => {
        stage.upstream.script(say({ text: [JSON.stringify(REPORT)] }));
        await play("by_format");
        assert.match(JSON.stringify(stage.sent().schema), /"days"/);
      });

      testPython("an error with its status, type and words", async () => {
        stage.upstream.always(refuse(402, "billing_error", "Insufficient credits"));
        await play("refused");
        assert.equal(stage.upstream.asked.length, 1);
      });
    });
  }
});
