import assert from "node:assert/strict";
import { test } from "node:test";
import { type Shell, toShellLine } from "../../../lib/cli/claude_code/shell.ts";

const CASES: [shell: Shell, value: string | undefined, line: string][] = [
  ["bash", "a $b `c` \"d\" 'e' \\", `export X='a $b \`c\` "d" '\\''e'\\'' \\'`],
  ["bash", undefined, "unset X"],
  ["fish", "a'b\\c$d", "set -gx X 'a\\'b\\\\c$d'"],
  ["fish", undefined, "set -e X"],
  ["zsh", "it's $x", "export X='it'\\''s $x'"],
  ["powershell", "a'b’c$d", "$env:X = 'a''b’’c$d'"],
  ["powershell", undefined, "Remove-Item Env:X -ErrorAction SilentlyContinue"],
];

for (const [shell, value, line] of CASES) {
  test(`toShellLine() quotes ${value ?? "nothing"} for ${shell}`, () => {
    assert.equal(toShellLine(shell, "X", value), line);
  });
}
