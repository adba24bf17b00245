import assert from "node:assert/strict";
import { writePdf } from "../../kit/pdf.ts";
import type { Play } from "./play.ts";
import type { Door } from "./stage.ts";

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

/** The picture among them. */
export const PIXEL =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/** Lays out what the calls of files are about. */
export function layFiles(door: Door): void {
  door.put({
    "hive.txt": "queen\nworker\ndrone\n",
    "meadow/clover.txt": "red clover\nwhite clover\n",
    "notes.ipynb": NOTEBOOK,
    "paper.pdf": writePdf(["The hum of bees", "A bibliography"]),
    "bee.png": Uint8Array.from(atob(PIXEL), (sign) => sign.charCodeAt(0)),
  });
}

/** Every tool that reads files. */
export const READING: readonly Play[] = [
  { tool: "LS", input: {}, says: /hive\.txt[^]*clover\.txt/ },
  { tool: "Glob", input: { pattern: "**/*.txt" }, says: /meadow\/clover\.txt/ },
  { tool: "Grep", input: { pattern: "wh?ite", output_mode: "content" }, says: /clover\.txt:2:white clover/ },
  { tool: "Read", input: { file_path: "hive.txt" }, says: /1\s+queen\n\s*2\s+worker/ },
  { tool: "Read", input: { file_path: "meadow/clover.txt" }, says: /red clover/ },
  { tool: "Read", input: { file_path: "bee.png" }, says: /^\[image\/png, 1 KiB, shown to the model\]$/ },
  { tool: "Read", input: { file_path: "paper.pdf", pages: "1" }, says: /The hum of bees/ },
  { tool: "NotebookRead", input: { notebook_path: "notes.ipynb" }, says: /print\(6 \* 7\)/ },
];

/** Every tool that writes files; they have been read by then. */
export const WRITING: readonly Play[] = [
  {
    tool: "Write",
    input: { file_path: "new/comb.txt", content: "wax and honey\n" },
    says: /^Created new\/comb/,
  },
  {
    tool: "Edit",
    input: { file_path: "hive.txt", old_string: "drone", new_string: "nurse bee" },
    says: /^Changed hive\.txt[^]*nurse bee/,
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
    says: /^Made 2 edits[^]*sainfoin/,
  },
  {
    tool: "NotebookEdit",
    input: { notebook_path: "notes.ipynb", cell_id: "first", new_source: "print('zum zum')" },
    says: /^Replaced cell 0/,
  },
];

/** What reading cannot be. */
export const FORBIDDEN: readonly Play[] = [
  { tool: "Read", input: { file_path: "../outside.txt" }, says: /^Cannot /, fails: true },
  { tool: "Read", input: { file_path: "/etc/passwd" }, says: /^Cannot /, fails: true },
];

/** Makes sure that what was written is on the disk. */
export function checkWritten(door: Door): void {
  assert.equal(door.read("new/comb.txt"), "wax and honey\n");
  assert.equal(door.read("hive.txt"), "queen\nworker\nnurse bee\n");
  assert.equal(door.read("meadow/clover.txt"), "sainfoin\nwild clover\n");
  assert.match(door.read("notes.ipynb"), /zum zum/);
}
