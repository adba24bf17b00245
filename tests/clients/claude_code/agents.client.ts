import assert from "node:assert/strict";
import { describe } from "node:test";
import { NO_CLAUDE_CODE } from "./claude_code.ts";
import { checkResult, createPrompt, testWithFolders } from "./testbed.ts";
import { ROUTES, setUpTestbed } from "../kit/testbed.ts";
import { call, reply } from "../../kit/model/turns.ts";

const SIDES = ["north", "south"];

describe("Claude Code, agents of its own", { skip: NO_CLAUDE_CODE }, () => {
  const testbed = setUpTestbed();

  for (const route of ROUTES) {
    const prompt = createPrompt(testbed, route);
    for (const run_in_background of [false, true]) {
      const where = run_in_background ? "in the background" : "in the foreground";

      testWithFolders(`two that ask at once ${where}, ${route.name}`, async (folders) => {
        const agents = SIDES.map((side, at) =>
          call(route.ids[at] ?? "", "Agent", {
            description: `Look ${side}`,
            prompt: `You are the scout of the ${side}`,
            subagent_type: "general-purpose",
            run_in_background,
          })
        );
        const { reached, enter } = createGate(2);
        testbed.upstream.script(reply({ text: ["I send two."], tools: agents }));
        testbed.upstream.choose(async ({ user }) => {
          const side = /^You are the scout of the (north|south)$/m.exec(user)?.[1];
          if (side === undefined) return reply({ text: ["All known."] });
          enter();
          // Neither is answered before both requests have arrived.
          await reached;
          return reply({ text: [`Nothing in the ${side}.`] });
        });
        checkResult((await prompt(folders, "Look around")).result, "All known.");

        const received = testbed.upstream.received.map((_, at) => testbed.sent(at));
        assert.equal(new Set(received.map(({ session }) => session ?? "")).size, 1);
        assert.match(received[0]?.session ?? "", /^[0-9a-f-]{36}$/);
        const parent = received.filter(({ user }) => /^Look around$/m.test(user)).at(-1);
        assert.equal(parent?.results.length, 2);
        for (const [at, side] of SIDES.entries()) {
          // They arrive in the order in which they end. Their ids tell them apart.
          const result = parent.results.find(({ id }) => id === route.ids[at])?.text ?? "";
          assert.match(run_in_background ? parent.user : result, new RegExp(`Nothing in the ${side}`));
          if (run_in_background) assert.match(result, /launched/);
          else assert.doesNotMatch(result, new RegExp(`Nothing in the ${SIDES[1 - at]}`));
        }
      });
    }
  }
});

/** A gate that opens when this number of callers have entered. */
function createGate(count: number): { reached: Promise<void>; enter(): void } {
  let open = () => {};
  const reached = new Promise<void>((resolve) => void (open = resolve));
  return {
    reached,
    enter: () => --count === 0 && open(),
  };
}
