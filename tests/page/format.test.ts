import assert from "node:assert/strict";
import { test } from "node:test";
import * as format from "../../lib/page/elements/format.ts";

const CASES: [name: string, write: (value: number) => string, cases: [number, string][]][] = [
  ["formatExact()", format.formatExact, [[0, "0"], [999, "999"], [148_213, "148,213"], [
    1_234_567,
    "1,234,567",
  ]]],
  ["formatCount()", format.formatCount, [
    [0, "0"],
    [9_999, "9,999"],
    [10_000, "10.0k"],
    [38_940, "38.9k"],
    [148_213, "148k"],
    [999_499, "999k"],
    [999_600, "1.00M"],
    [1_240_000, "1.24M"],
    [2_000_000_000, "2.00B"],
  ]],
  ["formatDuration()", format.formatDuration, [
    [0, "0 ms"],
    [540, "540 ms"],
    [999.6, "1.0 s"],
    [7_240, "7.2 s"],
    [9_960, "10 s"],
    [48_000, "48 s"],
    [59_600, "1 m"],
    [82_000, "1 m 22 s"],
    [11_100_000, "3 h 5 m"],
    [273_600_000, "3 d 4 h"],
  ]],
  ["formatOffset()", format.formatOffset, [[0, "0.00 s"], [7_124, "7.12 s"]]],
  ["formatPercent()", format.formatPercent, [[0, "0%"], [0.0004, "<0.1%"], [0.022, "2.2%"], [0.0996, "10%"], [
    0.96,
    "96%",
  ]]],
  ["formatCost()", format.formatCost, [[0, "$0"], [0.00001, "<$0.0001"], [0.0236, "$0.0236"]]],
  ["formatSum()", format.formatSum, [
    [0, "$0"],
    [0.001, "<$0.01"],
    [412.68, "$412.68"],
    [1204.1, "$1,204.10"],
    [0.999, "$1.00"],
  ]],
  ["formatChange()", format.formatChange, [[0, "$0"], [41.2, "+$41.20"], [-6.07, "−$6.07"]]],
  ["formatPrice()", format.formatPrice, [[0.125, "$0.125"], [15, "$15"], [0.1 + 0.2, "$0.3"]]],
  ["formatDay()", format.formatDay, [[Date.UTC(2026, 10, 29, 23, 59), "2026-11-29"]]],
  ["formatNumber()", (value) => format.formatNumber(value, "retry", "retries"), [[1, "1 retry"], [
    0,
    "0 retries",
  ]]],
];

for (const [name, write, cases] of CASES) {
  test(`${name} writes numbers as the page shows them`, () => {
    for (const [value, expected] of cases) assert.equal(write(value), expected);
  });
}
