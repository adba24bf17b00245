import assert from "node:assert/strict";
import { chmodSync, existsSync, readdirSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { edit } from "../../../tools/files/edit.ts";
import { glob } from "../../../tools/files/glob.ts";
import { ls } from "../../../tools/files/ls.ts";
import { multiEdit } from "../../../tools/files/multi_edit.ts";
import { read } from "../../../tools/files/read.ts";
import { write } from "../../../tools/files/write.ts";
import { useWorkspaces } from "./workspace.ts";
import { GIF, JPEG, PDF, PNG, WEBP } from "./media.ts";

const createWorkspace = useWorkspaces();

for (const descriptors of [true, false]) {
  const by = descriptors ? "by descriptors" : "by paths";

  test(`Read ${by} returns text with line numbers, from an offset, to a limit`, async () => {
    const { put, run, root } = createWorkspace({ descriptors });
    put({ "a.txt": "one\ntwo\r\n\nfour", "deep/er/b.txt": "b\n" });
    assert.equal(await run(read, { file_path: "a.txt" }), "     1\tone\n     2\ttwo\n     3\t\n     4\tfour");
    assert.equal(await run(read, { file_path: `${root}/deep/er/b.txt` }), "     1\tb");
    assert.equal(await run(read, { path: "./deep/../a.txt", offset: 4 }), "     4\tfour");
    assert.equal(
      await run(read, { file_path: "a.txt", offset: 2, limit: 1 }),
      "     2\ttwo\n(2 more lines; continue with offset 3)",
    );
  });

  test(`Write ${by} creates files and folders, and replaces files that were read`, async () => {
    const { put, get, run, fail, root } = createWorkspace({ descriptors });
    assert.equal(
      await run(write, { file_path: "a/b/c.txt", content: "1\n2" }),
      "Created a/b/c.txt (2 lines, 3 bytes)",
    );
    assert.equal(get("a/b/c.txt"), "1\n2");
    assert.match(
      await run(write, { file_path: `${root}/a/b/c.txt`, content: "" }),
      /^Replaced .*0 lines, 0 bytes/,
    );
    put({ "old.sh": "before" });
    chmodSync(join(root, "old.sh"), 0o751);
    assert.match(
      await fail(write, { file_path: "old.sh", content: "x" }),
      /has not been read yet; read it first$/,
    );
    await run(read, { file_path: "old.sh" });
    await run(write, { file_path: "old.sh", content: "after" });
    assert.equal(get("old.sh"), "after");
    assert.equal(statSync(join(root, "old.sh")).mode & 0o7777, 0o751);
    await run(read, { file_path: "old.sh" });
    put({ "old.sh": "changed by somebody" });
    assert.match(await fail(write, { file_path: "old.sh", content: "x" }), /has changed since it was read/);
    assert.equal(get("old.sh"), "changed by somebody");
    assert.match(await fail(write, { file_path: "a", content: "x" }), /it is a folder$/);
    assert.match(await fail(write, { file_path: ".", content: "x" }), /it is a folder$/);
    assert.match(
      await fail(write, { file_path: "old.sh/x", content: "x" }),
      /a part of the path is not a folder$/,
    );
    assert.deepEqual(readdirSync(root).sort(), ["a", "old.sh"], "no draft is left");
  });

  test(`Edit ${by} runs changes of the same file one after another`, async () => {
    const { put, get, run } = createWorkspace({ descriptors });
    put({ "n.txt": Array.from({ length: 20 }, (_, n) => `<${n}>`).join("\n") });
    await run(read, { file_path: "n.txt" });
    const change = (n: number) =>
      run(edit, { file_path: "n.txt", old_string: `<${n}>`, new_string: `[${n}]` });
    await Promise.all(Array.from({ length: 20 }, (_, n) => change(n)));
    assert.equal(get("n.txt"), Array.from({ length: 20 }, (_, n) => `[${n}]`).join("\n"));
  });
}

test("Read reports what it omits", async () => {
  const { put, run, fail } = createWorkspace();
  put({
    "long.txt": "x".repeat(2100) + "\nshort",
    "many.txt": "line\n".repeat(2500),
    "wide.txt": ("w".repeat(1999) + "\n").repeat(200),
    "empty.txt": "",
    "bom.txt": "\ufeffafter\n",
    "latin.txt": new Uint8Array([0x63, 0x61, 0x66, 0xe9, 0x0a]),
    "utf16.txt": new Uint8Array([0xff, 0xfe, 0x68, 0, 0x69, 0]),
    "binary": new Uint8Array([1, 2, 0, 3]),
  });
  assert.equal(
    await run(read, { file_path: "long.txt" }),
    `     1\t${"x".repeat(2000)}… [100 more characters]\n     2\tshort`,
  );
  const many = (await run(read, { file_path: "many.txt" })).split("\n");
  assert.equal(many.length, 2001);
  assert.equal(many[2000], "(500 more lines; continue with offset 2001)");
  assert.match(await run(read, { file_path: "wide.txt" }), /\n\(151 more lines; continue with offset 50\)$/);
  assert.equal(await run(read, { file_path: "empty.txt" }), "(empty.txt is empty)");
  assert.equal(await run(read, { file_path: "long.txt", offset: 9 }), "(long.txt has only 2 lines)");
  assert.equal(await run(read, { file_path: "bom.txt" }), "     1\tafter");
  assert.match(await run(read, { file_path: "latin.txt" }), /^ {5}1\tcaf\ufffd\n\(not in UTF-8/);
  assert.match(await run(read, { file_path: "utf16.txt" }), /^ {5}1\thi\n/);
  assert.equal(
    await fail(read, { file_path: "binary" }),
    'Cannot read "binary": it is a binary file of 4 bytes',
  );
  assert.equal(await fail(read, { file_path: "none" }), 'Cannot read "none": there is no such file');
  assert.equal(
    await fail(read, { file_path: "no/ne" }),
    'Cannot read "no/ne": there is no such file or folder',
  );
  assert.equal(await fail(read, { file_path: "." }), 'Cannot read ".": it is a folder');
  assert.match(await fail(read, {}), /^Cannot use Read: file_path: /);
});

test("Read returns images and PDFs as blocks, independent of the file name", async () => {
  const { put, content, run, fail } = createWorkspace();
  put({ "a.png": PNG, "b.txt": JPEG, "c.gif": GIF, "d.webp": WEBP, "e.pdf": PDF });
  for (
    const [path, type] of [["a.png", "png"], ["b.txt", "jpeg"], ["c.gif", "gif"], ["d.webp", "webp"]] as const
  ) {
    const [block] = await content(read, { file_path: path });
    assert.ok(block?.type === "image");
    assert.equal(block.source.media_type, `image/${type}`);
  }
  const [pdf] = await content(read, { file_path: "e.pdf" });
  assert.ok(pdf?.type === "document");
  assert.deepEqual(Uint8Array.from(atob(pdf.source.data), (letter) => letter.charCodeAt(0)), PDF);
  assert.equal(await run(read, { file_path: "e.pdf", pages: "1" }), "Page 1 of 2:\nFirst page");
  assert.equal(
    await run(read, { file_path: "e.pdf", pages: "1-2" }),
    "Page 1 of 2:\nFirst page\nPage 2 of 2:\nSecond page",
  );
  assert.match(await fail(read, { file_path: "e.pdf", pages: "3" }), /it has 2 pages/);
  assert.match(await fail(read, { file_path: "e.pdf", pages: "x" }), /write them as "3"/);

  const wide = PNG.slice();
  new DataView(wide.buffer).setUint32(16, 9000);
  put({ "wide.png": wide, "bad.pdf": "%PDF-1.4 nothing", "big.png": concat(PNG, new Uint8Array(4_000_000)) });
  assert.match(await fail(read, { file_path: "wide.png" }), /9000 × 1 pixels; the limit is 8000 a side$/);
  assert.match(await fail(read, { file_path: "big.png" }), /bytes; the limit is 3932160$/);
  assert.match(await fail(read, { file_path: "bad.pdf" }), /it is damaged or not a PDF$/);
});

test("Edit replaces a unique match and reports other cases", async () => {
  const { put, get, run, fail, root } = createWorkspace();
  put({ "a.ts": "let a = 1;\nlet b = 1;\nlet c = 3;\n" });
  const edited = (input: Record<string, unknown>) => ({ file_path: "a.ts", ...input });
  assert.match(await fail(edit, edited({ old_string: "a", new_string: "b" })), /has not been read yet/);
  await run(read, { file_path: "a.ts" });
  assert.match(
    await fail(edit, edited({ old_string: "= 1", new_string: "= 2" })),
    /occurs 2 times in the file; include more/,
  );
  assert.match(await fail(edit, edited({ old_string: "= 9", new_string: "= 2" })), /is not in the file/);
  assert.match(
    await fail(edit, edited({ old_string: "let  a", new_string: "x" })),
    /with different spaces or line breaks/,
  );
  assert.match(
    await fail(edit, edited({ old_string: "     1\tlet a", new_string: "x" })),
    /leave out the line numbers/,
  );
  assert.match(await fail(edit, edited({ old_string: "let a", new_string: "let a" })), /are the same/);
  assert.match(await fail(edit, edited({ old_string: "", new_string: "x" })), /old_string is empty/);
  assert.match(
    await fail(edit, edited({ old_string: "= 1", new_string: "= 2", expected_replacements: 3 })),
    /2 times in the file, but 3 were expected/,
  );
  assert.equal(get("a.ts"), "let a = 1;\nlet b = 1;\nlet c = 3;\n", "nothing has been done");
  assert.equal(
    await run(edit, edited({ old_string: "= 1", new_string: "= 2", expected_replacements: 2 })),
    "Changed a.ts, which now reads:\n     1\tlet a = 2;\n     2\tlet b = 2;\n     3\tlet c = 3;",
  );
  await run(edit, edited({ old_string: "= 2", new_string: "= $&\n", replace_all: true }));
  assert.equal(get("a.ts"), "let a = $&\n;\nlet b = $&\n;\nlet c = 3;\n");
  await run(edit, edited({ old_string: "let c = 3;\n", new_string: "" }));
  assert.equal(get("a.ts"), "let a = $&\n;\nlet b = $&\n;\n");
  put({ "a.ts": "stale" });
  assert.match(
    await fail(edit, edited({ old_string: "stale", new_string: "x" })),
    /has changed since it was read/,
  );

  assert.equal(await run(edit, { file_path: "new.ts", old_string: "", new_string: "x\n" }), "Created new.ts");
  assert.equal(get("new.ts"), "x\n");
  assert.match(
    await fail(edit, { file_path: "no/folder/x", old_string: "x", new_string: "y" }),
    /there is no such file$/,
  );
  assert.ok(!existsSync(join(root, "no")), "no folder is made for a path that is rejected");
  assert.match(
    await fail(edit, { file_path: "no.ts", old_string: "x", new_string: "y" }),
    /there is no such file$/,
  );
});

test("Edit keeps line ends, the byte order mark and every other byte", async () => {
  const { put, get, run, fail } = createWorkspace();
  put({ "crlf.txt": "\ufeffone\r\ntwo\r\nthree\r\n", "mixed.txt": "one\r\ntwo\nthree\r\nfour\n" });
  await run(read, { file_path: "crlf.txt" });
  await run(edit, { file_path: "crlf.txt", old_string: "one\ntwo\n", new_string: "1\n2\n2b\n" });
  assert.equal(get("crlf.txt"), "\ufeff1\r\n2\r\n2b\r\nthree\r\n");
  await run(read, { file_path: "mixed.txt" });
  await run(edit, { file_path: "mixed.txt", old_string: "two\nthree", new_string: "2\n3" });
  assert.equal(get("mixed.txt"), "one\r\n2\r\n3\r\nfour\n");
  put({ "latin.txt": new Uint8Array([0x61, 0xe9]), "binary": new Uint8Array([0x61, 0]) });
  await run(read, { file_path: "latin.txt" });
  assert.match(
    await fail(edit, { file_path: "latin.txt", old_string: "a", new_string: "b" }),
    /not in UTF-8/,
  );
});

test("Edit returns an excerpt of distant changes of bounded size", async () => {
  const { put, run } = createWorkspace();
  const lines = Array.from({ length: 60 }, (_, n) => n === 9 || n === 49 ? "here" : `line ${n + 1}`);
  put({ "a.txt": lines.join("\n"), "b.txt": "x\n".repeat(500) });
  await run(read, { file_path: "a.txt" });
  const text = await run(edit, {
    file_path: "a.txt",
    old_string: "here",
    new_string: "there",
    replace_all: true,
  });
  const numbers = text.split("\n").slice(1).map((line) => line.trim().split("\t")[0]);
  assert.deepEqual(numbers, [..."6 7 8 9 10 11 12 13 14 ... 46 47 48 49 50 51 52 53 54".split(" ")]);
  await run(read, { file_path: "b.txt" });
  const much = await run(edit, { file_path: "b.txt", old_string: "x", new_string: "y", replace_all: true });
  assert.equal(much.split("\n").length, 82);
});

test("MultiEdit applies all edits in order, or none", async () => {
  const { put, get, run, fail } = createWorkspace();
  put({ "a.txt": "one two three\n" });
  await run(read, { file_path: "a.txt" });
  const edits = [
    { old_string: "one", new_string: "two" },
    { old_string: "two", new_string: "2", replace_all: true },
    { old_string: "2 2", new_string: "four\nfive" },
  ];
  assert.match(
    await fail(multiEdit, { file_path: "a.txt", edits: [...edits, { old_string: "one", new_string: "1" }] }),
    /is not in the file.*\(edit 4 of 4; none was made\)$/,
  );
  assert.equal(get("a.txt"), "one two three\n");
  assert.equal(
    await run(multiEdit, { file_path: "a.txt", edits }),
    "Made 3 edits in a.txt, which now reads:\n     1\tfour\n     2\tfive three",
  );
  await run(multiEdit, {
    file_path: "new.txt",
    edits: [{ old_string: "", new_string: "fresh\n" }, { old_string: "fresh", new_string: "new" }],
  });
  assert.equal(get("new.txt"), "new\n");
  assert.match(
    await fail(multiEdit, { file_path: "none.txt", edits: [{ old_string: "a", new_string: "b" }] }),
    /there is no such file$/,
  );
});

test("Glob matches a pattern, newest first, without files that git ignores", async () => {
  const { put, run, fail, root } = createWorkspace();
  put({
    "a.ts": "",
    "b.js": "",
    "lib/c.ts": "",
    "lib/deep/d.tsx": "",
    "lib/e.md": "",
    ".hidden/f.ts": "",
    "dist/g.ts": "",
    "lib/keep/h.log": "",
    "lib/i.log": "",
    ".git/j.ts": "",
    "node_modules/k/l.ts": "",
    ".gitignore": "dist/\n*.log\nnode_modules\n",
    "lib/keep/.gitignore": "!h.log\n",
    "odd/[x]/{y}.ts": "",
    "odd/a b.ts": "",
  });
  const found = async (pattern: string, path?: string) =>
    (await run(glob, { pattern, path })).split("\n").sort();
  assert.deepEqual(await found("*.ts"), [".hidden/f.ts", "a.ts", "lib/c.ts", "odd/[x]/{y}.ts", "odd/a b.ts"]);
  assert.deepEqual(await found("**/*.{ts,tsx}", "lib"), ["lib/c.ts", "lib/deep/d.tsx"]);
  assert.deepEqual(await found("lib/*"), ["lib/c.ts", "lib/e.md"]);
  assert.deepEqual(await found("lib/**/d.*"), ["lib/deep/d.tsx"]);
  assert.deepEqual(await found("./*.ts"), ["a.ts"]);
  assert.deepEqual(await found(`${root}/*.js`), ["b.js"]);
  assert.deepEqual(await found("*.log"), ["lib/keep/h.log"]);
  assert.deepEqual(await found("dist/*"), ["dist/g.ts"]);
  assert.deepEqual(await found("*.ts", "node_modules/k"), ["node_modules/k/l.ts"]);
  assert.deepEqual(await found("[ab].?s"), ["a.ts", "b.js"]);
  assert.deepEqual(await found("[!a].?s"), ["b.js", "lib/c.ts", ".hidden/f.ts"].sort());
  assert.deepEqual(await found("odd/\\[x\\]/\\{y}.ts"), ["odd/[x]/{y}.ts"]);
  assert.deepEqual(await found("*.none"), ["No files found"]);
  assert.match(await fail(glob, { pattern: "*", path: "none" }), /there is no such file or folder$/);

  put(Object.fromEntries(Array.from({ length: 130 }, (_, n) => [`many/${n}.x`, ""])));
  for (let n = 0; n < 130; n += 1) utimesSync(join(root, `many/${n}.x`), 1000 + n, 1000 + n);
  const many = (await run(glob, { directory: "many", pattern: "*.x" })).split("\n");
  assert.equal(many.length, 101);
  assert.deepEqual([many[0], many[99]], ["many/129.x", "many/30.x"]);
  assert.equal(many[100], "(30 more; narrow the pattern or the path)");
});

/** Rules, and the files of `a`, `b/a`, `b/c/a`, `c/b/x.log`, `c/k p`, `{a}` that they keep; git returned the same. */
const RULES: [rules: string, left: string[]][] = [
  ["", ["a", "b/a", "b/c/a", "c/b/x.log", "c/k p", "{a}"]],
  ["# a\n\n\\#\n!none", ["a", "b/a", "b/c/a", "c/b/x.log", "c/k p", "{a}"]],
  ["a", ["c/b/x.log", "c/k p", "{a}"]],
  ["/a", ["b/a", "b/c/a", "c/b/x.log", "c/k p", "{a}"]],
  ["a/", ["a", "b/a", "b/c/a", "c/b/x.log", "c/k p", "{a}"]],
  ["b/", ["a", "c/k p", "{a}"]],
  ["/b/", ["a", "c/b/x.log", "c/k p", "{a}"]],
  ["b/*", ["a", "c/b/x.log", "c/k p", "{a}"]],
  ["b/*\n!b/c", ["a", "b/c/a", "c/b/x.log", "c/k p", "{a}"]],
  ["b\n!b/a", ["a", "c/k p", "{a}"]],
  ["**/c/a", ["a", "b/a", "c/b/x.log", "c/k p", "{a}"]],
  ["c/**", ["a", "b/a", "b/c/a", "{a}"]],
  ["b/**/a", ["a", "c/b/x.log", "c/k p", "{a}"]],
  ["*.log\r\nk p  \r\n", ["a", "b/a", "b/c/a", "{a}"]],
  ["*.log\n!x.log", ["a", "b/a", "b/c/a", "c/b/x.log", "c/k p", "{a}"]],
  ["{a}", ["a", "b/a", "b/c/a", "c/b/x.log", "c/k p"]],
  ["{a,b}\n?\\ p\n[xy].l*", ["a", "b/a", "b/c/a", "{a}"]],
  ["[!a-b].log\n[z-a]\n\\", ["a", "b/a", "b/c/a", "c/k p", "{a}"]],
  ["A", ["a", "b/a", "b/c/a", "c/b/x.log", "c/k p", "{a}"]],
];

test("Glob applies .gitignore as git does", async () => {
  const { put, files } = createWorkspace();
  put({ "a": "", "b/a": "", "b/c/a": "", "c/b/x.log": "", "c/k p": "", "{a}": "" });
  for (const [rules, left] of RULES) {
    put({ ".gitignore": rules });
    const { entries } = await files.walk(".", {
      hidden: false,
      ignored: false,
      select: (_, kind) => kind === "file",
    });
    assert.deepEqual(entries.map(({ path }) => path), left, rules);
  }
});

test("LS lists a tree, shallow before deep, and reports what it omits", async () => {
  const { put, run, fail } = createWorkspace();
  put({ "a.txt": "12345", "b/c/d.txt": "", "b/.x": "", "dist/e": "", ".gitignore": "dist\n" });
  assert.equal(await run(ls, {}), "- a.txt\n- b/\n  - c/\n    - d.txt");
  assert.equal(await run(ls, { path: "b", all: true }), "- .x\n- c/\n  - d.txt");
  assert.equal(await run(ls, { ignore: ["c", "*.txt"] }), "- b/");
  assert.match(
    await run(ls, { path: "a.txt", long: true }),
    /^- a\.txt {2}5 bytes, \d{4}-\d\d-\d\dT[\d:]{8}Z$/,
  );
  assert.match(await run(ls, { path: ".", all: true }), /- dist\/\n {2}- e/);
  assert.equal(await run(ls, { path: "b/c", ignore: ["*"] }), "(empty)");
  assert.match(await fail(ls, { path: "none" }), /there is no such file or folder$/);

  put(Object.fromEntries(Array.from({ length: 600 }, (_, n) => [`b/many/${n}`, ""])));
  assert.equal(
    await run(ls, {}),
    "- a.txt\n- b/\n  - c/\n  - many/\n(there is more below the folders shown; list one of them)",
  );
  assert.match(await run(ls, { path: "b/many" }), /\n\(there is more below/);
});

test("Write and Read follow a policy without write access and with a size limit", async () => {
  const { put, run, fail } = createWorkspace({ write: false, maxBytes: 10, maxEntries: 3 });
  put({ "small": "0123456789", "large": "0123456789a", "c": "", "d": "" });
  assert.match(await fail(write, { file_path: "x", content: "" }), /the workspace is read-only$/);
  assert.match(
    await fail(edit, { file_path: "small", old_string: "0", new_string: "" }),
    /the workspace is read-only$/,
  );
  assert.equal(await run(read, { file_path: "small" }), "     1\t0123456789");
  assert.match(await fail(read, { file_path: "large" }), /it has 11 bytes, and 10 is the limit$/);
  assert.match(await run(glob, { pattern: "*" }), /too many files to search all of them/);
});

function concat(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
