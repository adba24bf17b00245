import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const MAX_CHARS = 120;

for (const folder of ["build", "lib", "tests", "tools"]) {
  test(`no line of a comment in ${folder} has more than ${MAX_CHARS} characters`, () => {
    const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((path) => /\.m?[jt]s$/.test(path) && !path.includes("node_modules"))
      .map((path) => join(folder, path));
    assert.notEqual(files.length, 0);
    assert.deepEqual(files.flatMap(findLong), []);
  });
}

/** Returns the places of comments that are too long, such as `lib/gateway.ts:12`. */
function findLong(path: string): string[] {
  return readFileSync(path, "utf8").split("\n").flatMap((line, index) =>
    line.length > MAX_CHARS && /^\s*(\/\/|\/?\*)/.test(line) ? [`${path}:${index + 1}`] : []
  );
}
