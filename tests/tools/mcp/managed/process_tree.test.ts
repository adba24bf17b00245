import assert from "node:assert/strict";
import { test } from "node:test";
import type { ProcessEntry } from "../../../../tools/mcp/managed/process_table.ts";
import { ProcessTree } from "../../../../tools/mcp/managed/process_tree.ts";

const OWN = 10;
const ROOT = entry(100, { parent: OWN, stdio: ["pipe:[1]", "pipe:[2]"] });
const SYSTEM = [
  entry(1, { parent: 0 }),
  // The gateway has the other end of the pipes.
  entry(OWN, { parent: 1, stdio: ["pipe:[1]"] }),
  entry(20, { parent: OWN, stdio: ["pipe:[9]"] }),
  entry(30, { parent: 1 }),
];

function entry(pid: number, fields: Partial<ProcessEntry>): ProcessEntry {
  return { pid, parent: 1, group: pid, session: pid, startedAt: String(pid), stdio: [], ...fields };
}

function look(...tables: ProcessEntry[][]): number[] {
  const tree = new ProcessTree(ROOT.pid, OWN);
  return tables.map((table) => tree.update([...SYSTEM, ...table])).at(-1) ?? [];
}

const CASES: [name: string, tables: ProcessEntry[][], found: number[]][] = [
  ["the server", [[ROOT]], [100]],
  ["children and their children, in any order", [[
    entry(102, { parent: 101 }),
    entry(101, { parent: 100 }),
    ROOT,
  ]], [
    ...[100, 101, 102],
  ]],
  ["a process that left the group", [[ROOT, entry(101, { parent: 100, group: 101, session: 101 })]], [
    100,
    101,
  ]],
  ["the group of a server that has ended", [[ROOT], [entry(101, { group: 100 })]], [101]],
  ["the session of a server that has ended", [[ROOT], [entry(101, { group: 101, session: 100 })]], [101]],
  ["a process that was recorded before its parent ended", [[ROOT, entry(101, { parent: 100 })], [
    entry(101, {}),
  ]], [
    101,
  ]],
  ["a process with the server's stdout", [[ROOT], [entry(101, { stdio: ["pipe:[2]"] })]], [101]],
  ["nothing of a process that has received the server's id", [[ROOT], [
    entry(100, { startedAt: "later" }),
    entry(101, { parent: 100 }),
  ]], []],
  ["nothing if the server had ended before the first look", [[], [ROOT]], []],
];

for (const [name, tables, found] of CASES) {
  test(`ProcessTree finds ${name}`, () => assert.deepEqual(look(...tables).sort(), found));
}
