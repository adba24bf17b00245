import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
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
  test(`toOptions() rejects ${args.join(" ")}`, () => assert.throws(() => toOptions(args), error));
}

const isNode = process.versions["bun"] === undefined && process.versions["deno"] === undefined;
const runsTypeScript = process.features.typescript !== false && process.features.typescript !== undefined;

const NOT_STARTED: [args: string[], message: RegExp][] = [
  [["--rounds", "0"], /^Cannot use --rounds "0": .*\n$/],
  [["--scenarios", "none"], /^Cannot use --scenarios "none": it matches none of .*\n$/],
  [["--runtimes", "java"], /^Cannot measure on "java": .*\n$/],
  [
    ["--runtimes", "node", "--json", "/none/figures.json"],
    /^Cannot use --json "\/none\/figures\.json": .*\n$/,
  ],
];

test("the benchmark prints one line for an invalid option", { skip: !isNode }, () => {
  const path = fileURLToPath(new URL("run.ts", import.meta.url));
  const loader = runsTypeScript ? [] : ["--import", "tsx"];
  for (const [args, message] of NOT_STARTED) {
    const { stdout, stderr, status } = spawnSync(process.execPath, [...loader, path, ...args], {
      encoding: "utf8",
    });
    assert.match(stderr, message);
    assert.deepEqual([stdout, status], ["", 2]);
  }
});
