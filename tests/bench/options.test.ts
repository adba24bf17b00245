import assert from "node:assert/strict";
import { test } from "node:test";
import { toOptions } from "./options.ts";

test("toOptions() measures five rounds, or one with --quick", () => {
  assert.equal(toOptions([]).rounds, 5);
  assert.equal(toOptions(["--quick"]).rounds, 1);
  assert.equal(toOptions(["--quick", "--rounds", "2"]).rounds, 2);
});

const REFUSED: [args: string[], error: RegExp][] = [
  [["--rounds", "many"], /^Error: Cannot use --rounds "many": it is not a whole number from 1 to 1000$/],
  [["--rounds", "0"], /^Error: Cannot use --rounds "0"/],
  [["--rounds", ""], /^Error: Cannot use --rounds ""/],
  [["--upstream-port", "http"], /^Error: Cannot use --upstream-port "http"/],
  [["--upstream-port", "65536"], /^Error: Cannot use --upstream-port "65536"/],
  [["--scenarios", "("], /^Error: Cannot use --scenarios "\(": it is not a regular expression$/],
  [["--round", "2"], /Unknown option '--round'/],
];

for (const [args, error] of REFUSED) {
  test(`toOptions() refuses ${args.join(" ")}`, () => assert.throws(() => toOptions(args), error));
}
