import assert from "node:assert/strict";
import type { ExpectedCall } from "./run_calls.ts";
import type { ToolGateway } from "./tool_gateway.ts";
import { writePdf } from "../../kit/pdf.ts";

const NOTEBOOK = JSON.stringify({
  nbformat: 4,
  nbformat_minor: 5,
  metadata: {},
  cells: [
    {
      cell_type: "code",
      id: "first",
      metadata: {},
      execution_count: 1,
      outputs: [],
      source: ["print(6 * 7)"],
    },
  ],
});

/** An image of one pixel, in base64. */
export const PIXEL =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/** Writes the files that the calls use. */
export function layFiles(gateway: ToolGateway): void {
  gateway.put({
    "hive.txt": "queen\nworker\ndrone\n",
    "meadow/clover.txt": "red clover\nwhite clover\n",
    "notes.ipynb": NOTEBOOK,
    "paper.pdf": writePdf(["The hum of bees", "A bibliography"]),
    "bee.png": Uint8Array.from(atob(PIXEL), (sign) => sign.charCodeAt(0)),
  });
}

/** Calls of every tool that reads files. */
export const READING: readonly ExpectedCall[] = [
  { tool: "LS", input: {}, matches: /hive\.txt[^]*clover\.txt/ },
  { tool: "Glob", input: { pattern: "**/*.txt" }, matches: /meadow\/clover\.txt/ },
  {
    tool: "Grep",
    input: { pattern: "wh?ite", output_mode: "content" },
    matches: /clover\.txt:2:white clover/,
  },
  { tool: "Read", input: { file_path: "hive.txt" }, matches: /1\s+queen\n\s*2\s+worker/ },
  { tool: "Read", input: { file_path: "meadow/clover.txt" }, matches: /red clover/ },
  { tool: "Read", input: { file_path: "bee.png" }, matches: /^\[image\/png, 1 KiB, shown to the model\]$/ },
  { tool: "Read", input: { file_path: "paper.pdf", pages: "1" }, matches: /The hum of bees/ },
  { tool: "NotebookRead", input: { notebook_path: "notes.ipynb" }, matches: /print\(6 \* 7\)/ },
];

/** Calls of every tool that writes files. The files must have been read before. */
export const WRITING: readonly ExpectedCall[] = [
  {
    tool: "Write",
    input: { file_path: "new/comb.txt", content: "wax and honey\n" },
    matches: /^Created new\/comb/,
  },
  {
    tool: "Edit",
    input: { file_path: "hive.txt", old_string: "drone", new_string: "nurse bee" },
    matches: /^Changed hive\.txt[^]*nurse bee/,
  },
  {
    tool: "MultiEdit",
    input: {
      file_path: "meadow/clover.txt",
      edits: [{ old_string: "red clover", new_string: "sainfoin" }, {
        old_string: "white ",
        new_string: "wild ",
      }],
    },
    matches: /^Made 2 edits[^]*sainfoin/,
  },
  {
    tool: "NotebookEdit",
    input: { notebook_path: "notes.ipynb", cell_id: "first", new_source: "print('zum zum')" },
    matches: /^Replaced cell 0/,
  },
];

/** Calls that read files outside of the workspace. */
export const FORBIDDEN: readonly ExpectedCall[] = [
  { tool: "Read", input: { file_path: "../outside.txt" }, matches: /^Cannot /, fails: true },
  { tool: "Read", input: { file_path: "/etc/passwd" }, matches: /^Cannot /, fails: true },
];

/** Checks the content of the written files. */
export function checkWritten(gateway: ToolGateway): void {
  assert.equal(gateway.read("new/comb.txt"), "wax and honey\n");
  assert.equal(gateway.read("hive.txt"), "queen\nworker\nnurse bee\n");
  assert.equal(gateway.read("meadow/clover.txt"), "sainfoin\nwild clover\n");
  assert.match(gateway.read("notes.ipynb"), /zum zum/);
}
