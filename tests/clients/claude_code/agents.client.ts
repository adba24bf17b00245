import assert from "node:assert/strict";
import { describe } from "node:test";
import { NO_CLAUDE_CODE } from "./claude_code.ts";
import { checkResult, createPrompt, testAtDesk } from "./stage.ts";
import { ROADS, setStage } from "../kit/stage.ts";
import { call, say } from "../../kit/model/turns.ts";

const SIDES = ["north", "south"];

describe("Claude Code, agents of its own", { skip: NO_CLAUDE_CODE }, () => {
  const stage = setStage();

  for (const road of ROADS) {
    const prompt = createPrompt(stage, road);
    for (const run_in_background of [false, true]) {
      const where = run_in_background ? "in the background" : "in the foreground";

      testAtDesk(`two that ask at once ${where}, ${road.name}`, async (desk) => {
        const agents = SIDES.map((side, at) =>
          call(road.ids[at] ?? "", "Agent", {
            description: `Look ${side}`,
            prompt: `You are the scout of the ${side}`,
            subagent_type: "general-purpose",
            run_in_background,
          })
        );
        const { reached, enter } = createGate(2);
        stage.upstream.script(say({ text: ["I send two."], tools: agents }));
        stage.upstream.choose(async ({ user }) => {
          const side = /^You are the scout of the (north|south)$/m.exec(user)?.[1];
          if (side === undefined) return say({ text: ["All known."] });
          enter();
          // Neither is answered before both have asked.
          await reached;
          return say({ text: [`Nothing in the ${side}.`] });
        });
        checkResult((await prompt(desk, "Look around")).result, "All known.");

        const asked = stage.upstream.asked.map((_, at) => stage.sent(at));
        assert.equal(new Set(asked.map(({ session }) => session ?? "")).size, 1);
        assert.match(asked[0]?.session ?? "", /^[0-9a-f-]{36}$/);
        const parent = asked.filter(({ user }) => /^Look around$/m.test(user)).at(-1);
        assert.equal(parent?.results.length, 2);
        for (const [at, side] of SIDES.entries()) {
          // They come in the order in which they are done, so it is the id that says whose they are.
          const result = parent.results.find(({ id }) => id === road.ids[at])?.text ?? "";
          assert.match(run_in_background ? parent.user : result, new RegExp(`Nothing in the ${side}`));
          if (run_in_background) assert.match(result, /launched/);
          else assert.doesNotMatch(result, new RegExp(`Nothing in the ${SIDES[1 - at]}`));
        }
      });
    }
  }
});

/** A gate that opens when so many have entered. */
function createGate(count: number): { reached: Promise<void>; enter(): void } {
  let open = () => {};
  const reached = new Promise<void>((resolve) => void (open = resolve));
  return {
    reached,
    enter: () => --count === 0 && open(),
  };
}
