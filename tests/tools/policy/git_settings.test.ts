import assert from "node:assert/strict";
import { test } from "node:test";
import { parseGitSettings, toNamedPaths } from "../../../tools/policy/git_settings.ts";

/** Files of settings, and the settings that git reads from them. */
const FILES: Record<string, [text: string, settings: [name: string, value: string][]]> = {
  "sections": ["[core]\n\tbare = false\n[User]\nName=x", [["core.bare", "false"], ["user.name", "x"]]],
  "a subsection keeps its case": ['[filter "LFS \\"x\\""]\nclean = a', [['filter.LFS "x".clean', "a"]]],
  "an old subsection": ["[branch.Main]\nremote = o", [["branch.main.remote", "o"]]],
  "a setting in the line of its section": ["[core] hooksPath = a/b", [["core.hookspath", "a/b"]]],
  "quotes and escapes": ['[a]\nb = "x # y" z\\\\ \\t"  "', [["a.b", "x # y z\\ \t  "]]],
  "comments": ["# x\n; y\n[a]\nb = c # d\ne = f;g", [["a.b", "c"], ["a.e", "f"]]],
  "a value of several lines": ["[a]\nb = c \\\n  d\ne = f", [["a.b", "c   d"], ["a.e", "f"]]],
  "no value": ["[a]\nb", [["a.b", "true"]]],
  "a byte order mark and CR LF": ["\ufeff[a]\r\nb = c\r\n", [["a.b", "c"]]],
  "no section": ["b = c", []],
  "nonsense": ["[\n]]\n= x\n[a\nb = c", []],
};

for (const [what, [text, settings]] of Object.entries(FILES)) {
  test(`parseGitSettings() reads ${what} as git does`, () => {
    assert.deepEqual(parseGitSettings(text).map(({ name, value }) => [name, value]), settings);
  });
}

/** Settings, and the paths that they name. */
const NAMED: [name: string, value: string, paths: string[]][] = [
  ["core.hookspath", ".githooks", [".githooks"]],
  ["core.hookspath", "", []],
  ["include.path", "../x", ["../x"]],
  ["includeif.gitdir:~/a/.path", "/etc/x", ["/etc/x"]],
  ["core.fsmonitor", "true", []],
  ["core.fsmonitor", ".git/hooks/watch", [".git/hooks/watch"]],
  ["core.sshcommand", "ssh -i key.pem -F 'x/y'", ["key.pem", "x/y"]],
  ["alias.st", "!f() { bash scripts/x.sh; }; f", ["scripts/x.sh"]],
  ["filter.lfs.clean", "git-lfs clean -- %f", []],
  ["diff.word.textconv", "node tools/word.js", ["tools/word.js"]],
  ["credential.https://x.test.helper", "./helper", ["./helper"]],
  ["user.name", "a/b.c", []],
  ["core.bare", "a/b", []],
];

test("toNamedPaths() returns the paths that settings name", () => {
  for (const [name, value, paths] of NAMED) {
    assert.deepEqual(toNamedPaths([{ name, value }]).map(({ path }) => path), paths, `${name} = ${value}`);
  }
});
