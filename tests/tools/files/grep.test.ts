import assert from "node:assert/strict";
import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { grep } from "../../../tools/files/grep.ts";
import { compilePattern } from "../../../tools/patterns/line_pattern.ts";
import { findLines, showMatches } from "../../../tools/files/search_text.ts";
import { toLines } from "../../../tools/formats/text.ts";
import { useWorkspaces } from "./workspace.ts";

const createWorkspace = useWorkspaces();

const RIPGREP = ["/usr/bin/rg", "/usr/local/bin/rg", "/opt/homebrew/bin/rg"].find(existsSync);
const skip = RIPGREP === undefined ? "ripgrep is not installed" : false;

const TREE: Record<string, string | Uint8Array> = {
  "a.ts": "import x\nconst one = 1;\nconst two = 2;\nfoo(one)\nbar(two)\nlast\n",
  "lib/b.ts": "// ONE and one\nexport const three = 3;\r\nend\r\n",
  "lib/c.py": "one = 1\n",
  "lib/[odd] name.ts": "one\n",
  "-e.ts": "one\n",
  "dist/x.ts": "one ignored\n",
  ".gitignore": "dist\n",
  ".hidden/h.ts": "one hidden\n",
  "bin": new Uint8Array([0x6f, 0x6e, 0x65, 0]),
  "utf16.txt": new Uint8Array([0xff, 0xfe, 0x6f, 0, 0x6e, 0, 0x65, 0]),
  "bom.txt": "\ufeffone at the beginning\n",
};

for (const ripgrep of [undefined, "off"]) {
  test(`Grep returns the output of Claude Code's, ${ripgrep === "off" ? "without ripgrep" : "with ripgrep"}`, async () => {
    const { put, run, fail, root } = createWorkspace({ ripgrep });
    put(TREE);
    put(Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`fill/${n}.txt`, `nothing ${n}\n`])));
    const found = async (input: Record<string, unknown>) => (await run(grep, input)).split("\n");
    const all = [
      "-e.ts",
      ".hidden/h.ts",
      "a.ts",
      "bom.txt",
      "lib/[odd] name.ts",
      "lib/b.ts",
      "lib/c.py",
      "utf16.txt",
    ];

    assert.deepEqual((await found({ pattern: "one" })).sort(), all);
    assert.deepEqual(
      (await found({ pattern: "one", glob: "*.ts" })).sort(),
      all.filter((path) => /\.ts$/.test(path)),
    );
    assert.deepEqual(await found({ pattern: "one", glob: "!*.{ts,txt}" }), ["lib/c.py"]);
    assert.deepEqual(await found({ pattern: "one", type: "py" }), ["lib/c.py"]);
    assert.deepEqual(await found({ pattern: "one", path: "dist" }), ["dist/x.ts"]);
    assert.deepEqual(await found({ pattern: "one", path: `${root}/lib/c.py` }), ["lib/c.py"]);
    assert.deepEqual(await found({ pattern: "nowhere" }), ["No matches found"]);
    assert.deepEqual(await found({ pattern: "ONE", output_mode: "count" }), ["lib/b.ts:1"]);
    assert.deepEqual(await found({ pattern: "^one$", "-i": true, output_mode: "count" }), [
      ...["-e.ts:1", "lib/[odd] name.ts:1", "utf16.txt:1"],
    ]);
    assert.deepEqual(await found({ pattern: "^one at", output_mode: "content" }), [
      "bom.txt:1:one at the beginning",
    ]);
    assert.deepEqual(await found({ pattern: "3;$", output_mode: "content" }), [
      "lib/b.ts:2:export const three = 3;",
    ]);
    assert.deepEqual(
      await found({ pattern: "(one|two)", path: "a.ts", output_mode: "content", "-n": false }),
      [
        ...["a.ts:const one = 1;", "a.ts:const two = 2;", "a.ts:foo(one)", "a.ts:bar(two)"],
      ],
    );
    assert.deepEqual(await found({ pattern: "o[a-z]e", path: "a.ts", output_mode: "content", "-o": true }), [
      ...["a.ts:2:one", "a.ts:4:one"],
    ]);
    assert.deepEqual(await found({ pattern: "import|last", path: "a.ts", output_mode: "content", "-C": 1 }), [
      ...["a.ts:1:import x", "a.ts-2-const one = 1;", "--", "a.ts-5-bar(two)", "a.ts:6:last"],
    ]);
    assert.deepEqual(
      await found({ pattern: "one", path: "a.ts", output_mode: "content", "-A": 1, "-B": 0 }),
      [
        ...["a.ts:2:const one = 1;", "a.ts-3-const two = 2;", "a.ts:4:foo(one)", "a.ts-5-bar(two)"],
      ],
    );
    assert.deepEqual(
      await found({ pattern: "two.*\\nfoo", path: "a.ts", multiline: true, output_mode: "content" }),
      [
        ...["a.ts:3:const two = 2;", "a.ts:4:foo(one)"],
      ],
    );
    assert.deepEqual(await found({ pattern: "two.*foo", multiline: true }), ["a.ts"]);
    assert.deepEqual(
      await found({ pattern: "e x\\ncons", multiline: true, "-o": true, output_mode: "content" }),
      [
        "No matches found",
      ],
    );
    assert.deepEqual(
      await found({ pattern: "t x\\ncons", multiline: true, "-o": true, output_mode: "content" }),
      [
        ...["a.ts:1:t x", "a.ts:2:cons"],
      ],
    );
    assert.deepEqual(
      await found({ pattern: "o", path: "a.ts", output_mode: "content", head_limit: 2, offset: 1 }),
      [
        ...["a.ts:2:const one = 1;", "a.ts:3:const two = 2;", "(there is more; continue with offset 3)"],
      ],
    );
    // Names of the original tool's input.
    assert.deepEqual(await found({ pattern: "ONE", path: "lib", case_sensitive: false, max_matches: 1 }), [
      ...["lib/[odd] name.ts:1:one", "(there is more; continue with offset 1)"],
    ]);
    assert.match(await fail(grep, { pattern: "(" }), /^Cannot search for "\(": missing closing \)/);
    assert.match(await fail(grep, { pattern: "(a)\\1" }), /RE2 syntax, without backreferences/);
    assert.match(await fail(grep, { pattern: "a", type: "klingon" }), /known types are .*rust/);
    assert.match(await fail(grep, { pattern: "a", path: "bin/x" }), /a part of the path is not a folder$/);
  });
}

/** Lines on which dialects of regular expressions may differ. */
const LINES = [
  ...[
    "plain ascii",
    "caffè ünïcode",
    "日本語テキスト",
    "K and K (Kelvin)",
    "ſ long s",
    "İstanbul",
    "a\tb",
    "tab\vvertical",
  ],
  ...[
    "a&b",
    "a&&b",
    "x~y",
    "x~~y",
    "[bracket]",
    "]",
    "[",
    "a-b",
    "a--b",
    "^caret",
    "back\\slash",
    "dollar$",
    "{1,2}",
    "a{b",
  ],
  ...[
    "٣ arabic digit",
    "nbsp\u00a0here",
    "word-break",
    "under_score",
    "trailing ",
    "",
    " ",
    "é",
    "e\u0301",
    "\u{1f600} smile",
  ],
  ...[
    "foo",
    "FOO",
    "foobar",
    "bar foo",
    "x\u2028y",
    "a.b",
    "aab",
    "\u0000".slice(1),
    "line with \u0085 nel",
    "-flag",
    "--",
  ],
];

const PATTERNS = [
  ...[
    "\\w",
    "^\\w+$",
    "\\W",
    "^\\W+$",
    "\\d",
    "\\D",
    "\\s",
    "^\\s*$",
    "\\S",
    "\\b",
    "foo\\b",
    "\\bfoo",
    "\\Bfoo",
    "\\bé",
  ],
  ...[
    "[\\w-]+",
    "[^\\w]",
    "[^\\W]",
    "[\\d\\s]",
    "[^\\s\\S]",
    "[\\w&&b]",
    "[a&&b]",
    "[a&]",
    "[x~~y]",
    "[~]",
    "[[]",
    "[]]",
    "[^]]",
  ],
  ...[
    "[]a]",
    "[a\\]]",
    "[[:alpha:]]+",
    "[^[:space:]]",
    "[[:^digit:]]",
    "[a-]",
    "[-a]",
    "[a\\-b]",
    "[^-]",
    "[--/]",
    "[&--]",
  ],
  ...[
    "\\pL",
    "\\p{Greek}",
    "\\p{Han}",
    "\\PL",
    "[\\p{Lu}]",
    "\\x{1f600}",
    "\\x61",
    "\\A.",
    ".\\z",
    "^foo\\z",
    "\\Q[\\E",
    "\\Qa&&b\\E",
  ],
  ...[
    "^$",
    "$",
    "^",
    ".",
    "..",
    "^.$",
    "^..$",
    "a{1,2}",
    "a{b",
    "(?i)FOO",
    "(?i)k",
    "(?i)ſ",
    "(?i)İ",
    "(?:foo|bar)+",
  ],
  ...[
    "(?P<name>foo)",
    "(?<name>foo)",
    "(foo)(bar)",
    "a|",
    "|",
    "foo|é",
    "-flag",
    "--",
    "^-",
    "\\.",
    "\\\\",
    "\\$",
    "\\t",
    "\\v",
    "\\x0b",
  ],
  ...[
    "(?U)a+",
    "(?s)a.b",
    "(?m)^foo$",
    "x*",
    "[^a]",
    "[^\\n]b",
    "\\D{3}",
    "é+",
    "[é]",
    "[à-ü]",
    "a\\nb",
    "foo\\nFOO",
    "foo\\s+FOO",
    "foo[\\n]F",
    "b$\\n^b",
    "(?i)[À-Ü]",
    "\\141",
    "\\/",
    "\\-",
  ],
];

for (const more of [{}, { ignoreCase: true }, { multiline: true }]) {
  test(
    `Grep finds the same files with and without ripgrep ${JSON.stringify(more)}`,
    { skip },
    async () => {
      const { put, files } = createWorkspace();
      const texts = LINES.map((line, index) => ({ path: `${index}.txt`, text: `${line}\n` }));
      texts.push({ path: "crlf.txt", text: LINES.join("\r\n") }, { path: "lf.txt", text: LINES.join("\n") });
      put(Object.fromEntries(texts.map(({ path, text }) => [path, text])));
      put({ "latin.txt": new Uint8Array([0x66, 0x6f, 0x6f, 0xe9, 0x0a, 0xe9]) });
      texts.push({ path: "latin.txt", text: "foo\ufffd\n\ufffd" });
      const paths = texts.map(({ path }) => path);

      let left = 0;
      for (const source of PATTERNS) {
        const pattern = { source, ignoreCase: false, multiline: false, ...more };
        const compiled = compilePattern(source, pattern);
        const options = { pattern: compiled, multiline: pattern.multiline, pause: () => Promise.resolve() };
        const kept = await files.prefilter(paths, pattern);
        left += paths.length - kept.length;
        for (const { path, text } of texts) {
          const lines = findLines({ path, lines: toLines(text) }, { ...SHOW_ALL, ...options });
          const { done } = await lines.next();
          assert.ok(done || kept.includes(path), `${source} is in ${path}`);
        }
      }
      assert.ok(left > paths.length * PATTERNS.length / 4, `it leaves out many: ${left}`);
    },
  );
}

const SHOW_ALL = { onlyMatching: false, before: 0, after: 0, numbered: true };

test("Grep needs linear time for any pattern", async () => {
  const { put, run, fail } = createWorkspace({ ripgrep: "off" });
  put({
    "a.txt": "a".repeat(30_000) + "!\n",
    "lines.txt": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\n".repeat(300),
    "long.txt": "ab".repeat(4_000_000),
  });
  const hostile = [
    ...[
      "(a+)+$",
      "(a|a)*$",
      "(a|aa)+$",
      "([a-zA-Z]+)*$",
      "(.*a){12}$",
      "^(([a-z])+.)+[A-Z]([a-z])+$",
      "(a*)*b",
    ],
    ...[
      "(x+x+)+y",
      "(.*)(.*)(.*)(.*)(.*)[^a-z!]$",
      "(?i)(a|b|ab)*c",
      "a{1,500}b",
      "(a?){500}a{500}",
      "(\\w|\\s)*z",
    ],
  ];
  for (const pattern of hostile) {
    assert.match(
      await run(grep, { pattern, output_mode: "count" }),
      /^(No matches found|[\w.]+:\d+)/,
      pattern,
    );
  }
  assert.match(await run(grep, { pattern: "b$", path: "long.txt" }), /1 file searched in part/);
  assert.match(await fail(grep, { pattern: "((a{100}){100}){100}" }), /invalid repeat count/);
  assert.match(
    await fail(grep, { pattern: "(a{1,900}b{1,900}c{1,900}d{1,900}){1,1}".repeat(10) }),
    /too complex/,
  );
  assert.match(await fail(grep, { pattern: "a".repeat(3000) }), /longer than 2000 characters/);
  assert.match(await fail(grep, { pattern: "(".repeat(1500) }), /^Cannot search/);
});

test("Grep yields to other work, in many lines and in one", async () => {
  for (
    const [lines, multiline] of [[Array(2000).fill("a".repeat(1000)), false], [
      ["a".repeat(9000)],
      true,
    ]] as const
  ) {
    const pattern = compilePattern("(?s)(a|b|ab).*c|a", { ignoreCase: false, multiline });
    let pauses = 0;
    const pause = () => Promise.resolve(void (pauses += 1));
    let found = 0;
    for await (
      const _ of showMatches({ path: "", lines }, {
        ...SHOW_ALL,
        pattern,
        multiline,
        onlyMatching: true,
        pause,
      })
    ) {
      found += 1;
      if (pauses === 3) break;
    }
    assert.ok(found > 0 && pauses === 3, `${pauses} pauses`);
  }
});

test("Grep stops when the call is cancelled", async () => {
  const over = new AbortController();
  const { put, run } = createWorkspace({ ripgrep: "off", signal: over.signal });
  put({ "a.txt": "a".repeat(200_000), "b.txt": ("a".repeat(3000) + "\n").repeat(2000) });
  const running = run(grep, { pattern: "(a|b|ab)*c", output_mode: "count" });
  setImmediate(() => setImmediate(() => over.abort(new Error("over"))));
  await assert.rejects(running, /over/);
});

for (const noted of [true, false]) {
  const by = noted ? "with ripgrep" : "by itself";
  test(
    `Grep omits files that are too large, before it searches ${by}`,
    { skip: noted && skip },
    async () => {
      const folder = mkdtempSync(join(tmpdir(), "rg-"));
      const notes = join(folder, "notes");
      const program = join(folder, "rg");
      // A ripgrep that records its arguments.
      const script = `#!/bin/sh\nprintf '%s\\n' "$@" > ${notes}\nexec ${RIPGREP} "$@"\n`;
      writeFileSync(program, script, { mode: 0o755 });
      try {
        const { put, run, fail, root } = createWorkspace({ ripgrep: noted ? program : "off" });
        put(Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`${n}.txt`, `one ${n}\n`])));
        const large = openSync(join(root, "large.bin"), "w");
        ftruncateSync(large, 4 * 2 ** 30);
        closeSync(large);
        const expected = /^(\d+\.txt\n){30}\(1 file could not be read: too large, or not allowed\)$/;
        assert.match(await run(grep, { pattern: "one" }), expected);
        assert.match(await fail(grep, { pattern: "one", path: "large.bin" }), /it has 4294967296 bytes/);
        if (!noted) return;
        const given = readFileSync(notes, "utf8");
        assert.match(given, /^\.\/7\.txt$/m);
        assert.doesNotMatch(given, /large/);
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );
}
