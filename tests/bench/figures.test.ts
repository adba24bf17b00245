import assert from "node:assert/strict";
import { test } from "node:test";
import { type AnswerPlan, expectedText, toBody, toFrames } from "./answers.ts";
import { readText } from "./client.ts";
import { toRow, toTable } from "./figures.ts";
import { type Goal, type Scenario, tableScenarios } from "./scenarios.ts";

const [SCENARIO] = tableScenarios("quick");
const measured = (ms: number) => ({ "first event": ms });

function rowFor(goal: Goal | undefined) {
  const rounds = [
    { direct: measured(1), translator: measured(2), gateway: measured(3) },
    { direct: measured(1), translator: measured(3), gateway: measured(6) },
    { direct: measured(1), translator: measured(4), gateway: measured(4) },
  ];
  assert.ok(SCENARIO);
  const scenario: Scenario = { ...SCENARIO, title: "one" };
  return toRow("node20", scenario, { metric: "first event", ...(goal && { goal }) }, rounds);
}

test("toRow() compares the targets of each round, and returns the median of the rounds", () => {
  const cases: [Goal | undefined, { median: number; least: number; most: number }, boolean | undefined][] = [
    [undefined, { median: 1.5, least: 1, most: 2 }, undefined],
    [{ kind: "ratio", to: "translator", most: 1.5 }, { median: 1.5, least: 1, most: 2 }, true],
    [{ kind: "ratio added", to: "translator", most: 1.9 }, { median: 2, least: 1, most: 2.5 }, false],
    [{ kind: "difference", to: "translator", most: 1 }, { median: 1, least: 0, most: 3 }, true],
    [{ kind: "value", most: 3.5 }, { median: 4, least: 3, most: 6 }, false],
  ];
  for (const [goal, compared, met] of cases) {
    const row = rowFor(goal);
    assert.deepEqual([row.compared, row.met], [compared, met]);
    assert.deepEqual(row.medians, { direct: 1, translator: 3, gateway: 4 });
  }
});

test("toTable() has a column for each target, in the same order in each run", () => {
  const row = rowFor({ kind: "value", most: 5 });
  const [head, ruler, line] = toTable([
    { ...row, medians: { other: 5, gateway: 4, translator: 3, direct: 1 } },
  ]).split("\n");
  assert.equal(
    head,
    "| runtime | scenario | metric          | direct | translator | gateway | other | compared | least to most | goal      | met |",
  );
  assert.match(ruler ?? "", /^\| -{7} \| -{8} \| -{15} \| .* \| --- \|$/);
  assert.equal(
    line,
    "| node20  | one      | first event, ms | 1.00   | 3.00       | 4.00    | 5.00  | 4.00     | 3.00 to 6.00  | at most 5 | yes |",
  );
});

test("toRow() and toTable() show no comparison with a target that failed", () => {
  assert.ok(SCENARIO);
  const figure = { metric: "first event", goal: { kind: "ratio", to: "translator", most: 2 } } as const;
  const row = toRow("node20", SCENARIO, figure, [{ direct: measured(1), gateway: measured(3) }]);
  assert.deepEqual([row.medians, row.met], [{ direct: 1, gateway: 3 }, undefined]);
  const [, , line] = toTable([row]).split("\n");
  assert.match(line ?? "", /\| 1\.00 +\| 3\.00 +\| +\| +\| 2 × translator \| +\|$/);
});

test("readText() reads the text of both APIs, streamed or not", () => {
  for (const kind of ["text", "thinking", "tool"] as const) {
    const plan: AnswerPlan = { kind, chunks: 20 };
    assert.equal(readText(streamOf(plan)), expectedText(plan));
    assert.equal(readText(streamOf({ ...plan, cutBytes: 37 })), expectedText(plan));
  }
  const plan: AnswerPlan = { kind: "text", chunks: 20 };
  for (const api of ["chat", "messages"] as const) {
    assert.equal(readText(new TextDecoder().decode(toBody(plan, api))), expectedText(plan));
  }
});

test("readText() throws for a stream that fails or is cut", () => {
  const stream = streamOf({ kind: "text", chunks: 20 });
  assert.throws(() => readText(stream.slice(0, stream.indexOf("data: [DONE]"))), /has no end/);
  assert.throws(() => readText('event: error\ndata: {"type":"error","error":{}}\n\n'), /failed/);
});

/** Returns the body of a stream, without the frames of its HTTP chunks. */
function streamOf(plan: AnswerPlan): string {
  const pieces = toFrames(plan, "chat").map((frame) => {
    const bytes = Buffer.from(frame);
    return bytes.subarray(bytes.indexOf("\r\n") + 2, -2);
  });
  return Buffer.concat(pieces).toString("utf8");
}
