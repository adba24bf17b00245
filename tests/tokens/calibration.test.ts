import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createCalibration } from "../../lib/tokens/calibration.ts";

/** Creates a calibration that has learned from these reports, each of an estimate of 1000 tokens. */
function calibrated(...reports: number[]) {
  const calibration = createCalibration();
  for (const reported of reports) calibration.learn("m", { estimate: 1000, reported });
  return calibration;
}

test("correct() reports no error bound before two measurements", () => {
  assert.equal(calibrated().correct("m", 1000), undefined);
  assert.equal(calibrated(1300, 1300).correct("m", 1000), undefined);
  assert.deepEqual(calibrated(1300, 1300, 1300).correct("m", 1000), { tokens: 1300, error: 0 });
  assert.equal(calibrated(1300, 1300, 1300).correct("another", 1000), undefined);
});

test("correct() follows a model that has changed, and widens its bound for twenty answers", () => {
  const calibration = calibrated(...Array(50).fill(1000), 2000);
  assert.equal(calibration.correct("m", 1000)?.error, 0.5);
  for (let answer = 0; answer < 60; answer++) calibration.learn("m", { estimate: 1000, reported: 2000 });
  const { tokens = 0, error = 1 } = calibration.correct("m", 1000) ?? {};
  assert.ok(tokens > 1980 && tokens <= 2000 && error < 0.02, `${tokens} ${error}`);
});

test("correct() and learn() ignore short requests", () => {
  const calibration = calibrated(1500, 1500, 1500);
  assert.equal(calibration.correct("m", 199), undefined);
  for (let answer = 0; answer < 9; answer++) calibration.learn("m", { estimate: 150, reported: 150 });
  assert.equal(calibration.correct("m", 1000)?.tokens, 1500);
});

test("learn() ignores implausible counts", () => {
  const calibration = calibrated(1100, 1100, 1100);
  const odd = [0, -5, NaN, Infinity, 249, 4001].map((reported) => ({ estimate: 1000, reported }));
  for (const sample of [...odd, { estimate: 0, reported: 5 }, { estimate: NaN, reported: 5 }]) {
    calibration.learn("m", sample);
  }
  assert.deepEqual(calibration.correct("m", 1000), { tokens: 1100, error: 0 });
});

test("createCalibration() forgets the least recently used model", () => {
  const calibration = createCalibration({ maxModels: 2 });
  const learn = (model: string) => {
    for (let answer = 0; answer < 3; answer++) calibration.learn(model, { estimate: 1000, reported: 1500 });
  };
  learn("a");
  learn("b");
  assert.ok(calibration.correct("a", 1000));
  learn("c");
  assert.deepEqual(["a", "b", "c"].map((model) => calibration.correct(model, 1000)?.tokens), [
    1500,
    undefined,
    1500,
  ]);
});

test("correct() keeps its bound for every measured answer and its ratio between the extremes", () => {
  const reports = fc.array(fc.integer({ min: 300, max: 3900 }), { minLength: 3, maxLength: 20 });
  fc.assert(fc.property(reports, (all) => {
    const calibration = createCalibration();
    for (const reported of all) {
      const before = calibration.correct("m", 100_000);
      calibration.learn("m", { estimate: 1000, reported });
      const after = calibration.correct("m", 100_000);
      if (before === undefined || after === undefined) continue;
      const miss = Math.abs(before.tokens / 100 - reported) / reported;
      assert.ok(after.error >= miss - 0.001, `missed by ${miss}, the bound is ${after.error}`);
    }
    const tokens = calibration.correct("m", 1000)?.tokens ?? NaN;
    assert.ok(tokens >= Math.min(...all) && tokens <= Math.max(...all) + 1, String(tokens));
  }));
});
