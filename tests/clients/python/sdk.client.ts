import assert from "node:assert/strict";
import { describe } from "node:test";
import { setPython, testPython } from "./python.ts";
import { NO_PYTHON } from "./home.ts";
import { toReturned } from "../kit/reasoning.ts";
import { CITIES, greeting, PIECES, report, twoCalls } from "../kit/scenarios.ts";
import { GATEWAY_KEY, ROUTES, setUpTestbed } from "../kit/testbed.ts";
import { call, type Refuse, refuse, reply, type Thinking, tooLong, tooMany } from "../../kit/model/turns.ts";
import { MODELS } from "../kit/upstream.ts";

const THOUGHTS: [Thinking, Thinking] = [
  { pieces: ["Zürich", " first 🙂"], signature: "EokHCmUIDxgCKkBX0fNi", sealed: "gAAAAABpQ2VjcmV0LTE=" },
  { pieces: ["That is", " all"], signature: "EqMDCkYIBRgCKkA9fQ==" },
];

/** Failures of the upstream, with the class and status of the error that the client throws. */
const REFUSALS: [Refuse, string, number][] = [
  [tooMany(1), "RateLimitError", 429],
  [tooLong(140_000, 131_072), "BadRequestError", 400],
  [refuse(401, "authentication_error", "User not found."), "AuthenticationError", 401],
  [refuse(402, "billing_error", "Insufficient credits"), "PaymentRequiredError", 402],
  [refuse(403, "permission_error", "It requires moderation"), "PermissionDeniedError", 403],
  [refuse(404, "not_found_error", "No endpoints support tool use"), "NotFoundError", 404],
  [refuse(502, "api_error", "Provider disconnected"), "InternalServerError", 502],
  [refuse(503, "overloaded_error", "No instances"), "OverloadedError", 529],
];

describe("anthropic for Python", { skip: NO_PYTHON }, () => {
  const testbed = setUpTestbed();
  const runCase = setPython("sdk.py", testbed);

  for (const route of ROUTES) {
    const [one, two] = route.ids;

    describe(route.name, () => {
      /** Plays a case of the script. */
      const play = (name: string, more?: unknown): Promise<void> =>
        runCase(name, route.model, ...(more === undefined ? [] : [JSON.stringify(more)]));

      for (const name of ["text", "beta", "stream"]) {
        testPython(name, async () => {
          testbed.upstream.script(greeting);
          await play(name);
          const { model, user, key } = testbed.sent();
          assert.deepEqual([model, user, key], [route.model, "Greet me", GATEWAY_KEY]);
          assert.equal(testbed.upstream.received[0]?.path, route.path);
        });
      }

      testPython("many at once", async () => {
        testbed.upstream.always(greeting);
        await play("at_once");
        assert.equal(testbed.upstream.received.length, 8);
      });

      testPython("tools over two turns", async () => {
        testbed.upstream.script(
          twoCalls(route),
          reply({ tools: [call("call_3", "weather", { city: "Ōsaka" })] }),
          report,
        );
        await play("tools");
        const { calls, results, tools } = testbed.sent(2);
        const inputs = [...CITIES, { city: "Ōsaka" }];
        const ids = [one, two, "call_3"];
        assert.deepEqual(tools, ["weather"]);
        assert.deepEqual(calls, inputs.map((input, at) => ({ id: ids[at], name: "weather", input })));
        const told = new Map(results.map(({ id, text }) => [id, text]));
        assert.deepEqual(ids.map((id) => told.get(id)), inputs.map(({ city }) => `rain in ${city}`));
      });

      testPython("thinking comes back", async () => {
        testbed.upstream.script(
          reply({ thinking: THOUGHTS[0], tools: [call(one, "weather", CITIES[0])] }),
          reply({ thinking: THOUGHTS[1], text: PIECES }),
          reply({ text: ["Yes."] }),
        );
        await play("thinking");
        const back = THOUGHTS.map((thinking) => toReturned(thinking, route));
        for (const turn of [0, 1, 2]) assert.deepEqual(testbed.sent(turn).reasoning, back.slice(0, turn));
      });

      testPython("an object by its class", async () => {
        const object = JSON.stringify({ city: "Zürich", days: [{ sky: "rain", degrees: null }] });
        testbed.upstream.script(reply({ text: [object.slice(0, 20), object.slice(20)] }));
        await play("structured");
        const schema = JSON.stringify(testbed.sent().schema);
        assert.match(schema, /"\$defs":\{"Day":/);
        assert.match(schema, /"\$ref":"#\/\$defs\/Day"/);
      });

      testPython("errors", async () => {
        testbed.upstream.script(...REFUSALS.map(([refused]) => refused));
        const seen = REFUSALS.map(([refused, name, status]) =>
          route.name === "native" && refused.status === 503
            ? ["ServiceUnavailableError", 503, refused.type]
            : [name, status, refused.type]
        );
        await play("errors", seen);
      });

      testPython("a retry after a 429", async () => {
        testbed.upstream.script(tooMany(1), greeting);
        await play("retry");
      });

      testPython("a stream that ends in an error", async () => {
        testbed.upstream.script(reply({ text: PIECES, ending: "error" }));
        await play("broken");
      });

      for (const name of ["count_tokens", "models"]) {
        testPython(`${name}, without the upstream`, async () => {
          await play(name, MODELS);
          assert.deepEqual(testbed.upstream.received, []);
        });
      }
    });
  }
});
