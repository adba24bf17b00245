import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { ToolError } from "../../../tools/errors.ts";
import { edit } from "../../../tools/files/edit.ts";
import { glob } from "../../../tools/files/glob.ts";
import { grep } from "../../../tools/files/grep.ts";
import { ls } from "../../../tools/files/ls.ts";
import { multiEdit } from "../../../tools/files/multi_edit.ts";
import { notebookEdit } from "../../../tools/files/notebook_edit.ts";
import { notebookRead } from "../../../tools/files/notebook_read.ts";
import { read } from "../../../tools/files/read.ts";
import type { Tool } from "../../../tools/tool.ts";
import { write } from "../../../tools/files/write.ts";
import { PROTECTED } from "../../../tools/policy/protected.ts";
import { SECRET, type TestWorkspace, useWorkspaces } from "./workspace.ts";
import { startSwaps } from "./swap.ts";

const createWorkspace = useWorkspaces();

/** Returns a call of every tool with this path. */
function uses(path: string): [tool: Tool, input: unknown][] {
  return [
    [read, { file_path: path }],
    [notebookRead, { file_path: path }],
    [ls, { path, all: true }],
    [glob, { pattern: "**/*", path }],
    [glob, { pattern: path }],
    [glob, { pattern: `${path}/**` }],
    [grep, { pattern: "SECRET", path, output_mode: "content" }],
    [write, { file_path: path, content: "overwritten" }],
    [edit, { file_path: path, old_string: "SECRET", new_string: "overwritten" }],
    [edit, { file_path: path, old_string: "", new_string: "overwritten" }],
    [multiEdit, { file_path: path, edits: [{ old_string: "", new_string: "overwritten" }] }],
    [notebookEdit, { file_path: path, cell_index: 0, new_source: "overwritten" }],
  ];
}

/** Runs a tool, and returns the text for the model. Errors other than a `ToolError` are bugs, and are rethrown. */
async function attempt({ run }: TestWorkspace, [tool, input]: [Tool, unknown]): Promise<string> {
  try {
    return await run(tool, input);
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    return error.message;
  }
}

/** Notations of two dots. */
const DOTS = [
  "..",
  "%2e%2e",
  ".%2e",
  "%252e%252e",
  "....",
  ".. ",
  "..\t",
  "..\u200b",
  "\uff0e\uff0e",
  "\u2024\u2024",
  "%c0%ae%c0%ae",
  "..;",
  "..\u0000",
  "\u202e..",
  "..%00",
];
const SLASHES = [
  "/",
  "//",
  "/./",
  "\\",
  "%2f",
  "%5c",
  "\u2215",
  "\u2044",
  "\uff0f",
  "/\u0000/",
  "\\/",
  "%252f",
];
const TARGETS = ["secret", "outside/secret", "ws-evil/secret", "outside/inner", "outside/new"];

function* traversals({ root, outside }: TestWorkspace): Generator<string> {
  const base = dirname(root);
  for (const dots of DOTS) {
    for (const slash of SLASHES) {
      for (const target of TARGETS.slice(0, dots === ".." ? 5 : 1)) {
        for (const start of ["", "a/", "./", `${root}/`]) {
          yield `${start}${`${dots}${slash}`.repeat(start === "a/" ? 2 : 1)}${target}`;
        }
      }
    }
  }
  for (const target of TARGETS) {
    yield* [
      join(base, target),
      `${root}/../${target}`,
      `${root}/a/../../${target}`,
      `${root}/./..//${target}`,
    ];
    yield* [`file://${base}/${target}`, `//${base}/${target}`, `/./${base}/${target}`, `../ws/../${target}`];
    yield* [
      `/proc/self/root${base}/${target}`,
      `/proc/self/cwd/${base}/${target}`,
      `/dev/fd/../..${base}/${target}`,
    ];
  }
  yield* [
    `${root}-evil/secret`,
    `${root}/../ws-evil/secret`,
    "../ws-evil/secret",
    base,
    `${base}/`,
    outside,
    "..",
    "../",
    "/",
    "//",
  ];
  yield* [
    "~/secret",
    "~",
    "~root/.ssh",
    "$HOME/secret",
    "${HOME}",
    "/etc/passwd",
    "/etc/shadow",
    "/proc/self/environ",
    "/dev/zero",
  ];
  yield* [
    "C:\\secret",
    "\\\\host\\secret",
    "/proc/self/fd/0",
    "/dev/stdin",
    "\0",
    "a\0b",
    "\ud800",
    "x".repeat(5000),
    "a/".repeat(2100),
  ];
}

for (const descriptors of [true, false]) {
  const by = descriptors ? "by descriptors" : "by paths";

  test(`every file tool ${by} rejects paths that leave the workspace`, { timeout: 120_000 }, async () => {
    const workspace = createWorkspace({ descriptors });
    workspace.put({ "a/b.txt": "inside\n" });
    const paths = [...traversals(workspace)];
    assert.ok(paths.length > 700, `${paths.length} paths`);
    for (const [index, path] of paths.entries()) {
      const all = uses(path);
      // Each path is used by the tools that open it, and by some of the others in turn.
      const some = [all[0], all[7], all[1 + index % 6], all[8 + index % 4]];
      for (const use of some) {
        assert.ok(use !== undefined);
        const text = await attempt(workspace, use);
        assert.ok(!text.includes(SECRET), `${use[0].name} ${JSON.stringify(path)}`);
      }
    }
    workspace.checkOutside();
  });

  test(`every file tool ${by} rejects links that leave the workspace`, async () => {
    const workspace = createWorkspace({ descriptors });
    const { root, outside, run } = workspace;
    const { put } = workspace;
    put({ "in.txt": "inside\n", "sub/x": "" });
    const links: Record<string, string> = {
      "file": join(outside, "secret"),
      "folder": outside,
      "relative": "../outside/secret",
      "up": "..",
      "sub/up": "../../outside",
      "dangling": join(outside, "new"),
      "dangling-folder": join(outside, "none"),
      "through": "folder/secret",
      "twice": "through",
      "sibling": `${root}-evil/secret`,
      "proc": "/proc/self/environ",
      "root": "/",
      "loop": "loop",
      "ping": "pong",
      "pong": "ping",
      "self": ".",
      "dots": "sub/../../outside/secret",
    };
    for (const [name, target] of Object.entries(links)) symlinkSync(target, join(root, name));
    for (const name of Object.keys(links)) {
      for (
        const path of [name, `${name}/secret`, `${name}/inner/secret`, `${name}/new`, `${name}/../secret`]
      ) {
        for (const use of uses(path)) {
          const text = await attempt(workspace, use);
          assert.ok(!text.includes(SECRET) && !/PATH=/.test(text), `${use[0].name} ${path}: ${text}`);
        }
      }
    }
    assert.doesNotMatch(await run(grep, { pattern: "SECRET" }), /secret/);
    assert.equal(await run(read, { file_path: "self/self/in.txt" }), "     1\tinside");
    workspace.checkOutside();
    assert.ok(!existsSync(join(outside, "new")));
  });

  test(`every file tool ${by} follows links inside the workspace to the file itself`, async () => {
    const { put, get, run, root } = createWorkspace({ descriptors });
    put({ "lib/real.txt": "real\n" });
    symlinkSync("lib", join(root, "folder"));
    symlinkSync("../lib/real.txt", join(root, "lib", "link.txt"));
    symlinkSync(join(root, "lib", "link.txt"), join(root, "chain.txt"));
    assert.equal(await run(read, { file_path: "chain.txt" }), "     1\treal");
    assert.equal(
      await run(edit, { file_path: "folder/link.txt", old_string: "real", new_string: "new" }),
      "Changed lib/real.txt, which now reads:\n     1\tnew",
    );
    assert.equal(get("chain.txt"), "new\n");
    assert.equal(await run(ls, {}), "- chain.txt@\n- folder@\n- lib/\n  - link.txt@\n  - real.txt");
  });

  test(`every file tool ${by} rejects a hard link to a file outside`, async () => {
    const workspace = createWorkspace({ descriptors });
    linkSync(join(workspace.outside, "secret"), join(workspace.root, "hard.txt"));
    linkSync(join(workspace.outside, "secret"), join(workspace.root, ".gitignore"));
    for (const use of uses("hard.txt")) {
      assert.ok(!(await attempt(workspace, use)).includes(SECRET), use[0].name);
    }
    assert.match(await attempt(workspace, [read, { file_path: "hard.txt" }]), /it has another hard link/);
    assert.equal(
      await workspace.run(grep, { pattern: "SECRET" }),
      "No matches found\n(2 files could not be read: too large, or not allowed)",
    );
    workspace.checkOutside();
  });

  test(`every file tool ${by} returns for special files without blocking`, { timeout: 60_000 }, async () => {
    const workspace = createWorkspace({ descriptors });
    const { root } = workspace;
    execFileSync("mkfifo", [join(root, "pipe"), join(root, "pipe.ipynb")]);
    makeDevice(join(root, "zero"));
    symlinkSync("/dev/zero", join(root, "link-to-zero"));
    symlinkSync("/proc/self/fd/0", join(root, "stdin"));
    const sparse = openSync(join(root, "sparse"), "w");
    ftruncateSync(sparse, 4 * 1024 ** 3);
    closeSync(sparse);
    writeFileSync(join(root, "line"), "x".repeat(8 * 1024 * 1024));
    for (
      const name of [
        "pipe",
        "pipe.ipynb",
        "zero",
        "link-to-zero",
        "stdin",
        "sparse",
        "line/x",
      ]
    ) {
      for (const use of uses(name)) {
        const text = await attempt(workspace, use);
        assert.ok(text.length < 3000, `${use[0].name} ${name}`);
      }
    }
    assert.match(await attempt(workspace, [read, { file_path: "pipe" }]), /it is not a regular file$/);
    assert.match(
      await attempt(workspace, [write, { file_path: "pipe", content: "x" }]),
      /it is not a regular file$/,
    );
    assert.match(await attempt(workspace, [read, { file_path: "sparse" }]), /it has 4294967296 bytes/);
    assert.match(await attempt(workspace, [read, { file_path: "line" }]), /\[8386608 more characters\]$/);
    assert.match(await attempt(workspace, [grep, { pattern: "nothing" }]), /could not be read/);
    workspace.checkOutside();
  });

  test(
    `every file tool ${by} stays inside the workspace while links are swapped`,
    { timeout: 120_000 },
    async () => {
      const workspace = createWorkspace({ descriptors });
      const { root, outside } = workspace;
      // If folders are opened by path, temporary files outside must at least stay empty, see `openRoot`.
      mkdirSync(join(root, "swap"));
      writeFileSync(join(root, "swap", "secret"), "inside");
      writeFileSync(join(root, "swap", "other"), "inside");
      symlinkSync(outside, join(root, "link"));
      const swaps = await startSwaps({ root, folder: "swap", link: "link" });
      let inside = 0;
      let refused = 0;
      try {
        for (let round = 0; round < 200; round += 1) {
          workspace.session.seen.clear();
          for (
            const [tool, input] of [
              [read, { file_path: "swap/secret" }],
              [grep, { pattern: "SECRET|inside", path: "swap", output_mode: "content" }],
              [edit, { file_path: "swap/secret", old_string: "inside", new_string: "inside" + round }],
              [write, { file_path: `swap/new-${round}`, content: "overwritten" }],
              [ls, { path: "swap" }],
            ] satisfies [Tool, unknown][]
          ) {
            const text = await attempt(workspace, [tool, input]);
            assert.ok(!text.includes(SECRET), `${tool.name} in round ${round}: ${text}`);
            assert.ok(!text.includes("inner"), `${tool.name} in round ${round}: ${text}`);
            if (/^Cannot/.test(text)) refused += 1;
            else inside += 1;
          }
        }
      } finally {
        await swaps.stop();
      }
      assert.ok(swaps.count() > 300, `${swaps.count()} swaps`);
      assert.ok((inside > 0 || !descriptors) && refused > 0, `${inside} inside, ${refused} refused`);
      if (!descriptors) removeEmptyDrafts(outside);
      workspace.checkOutside();
    },
  );
}

const NAMES = [
  ...[
    ".git/config",
    ".git/hooks/pre-commit",
    ".git",
    ".gitmodules",
    ".gitconfig",
    "sub/.git/hooks/x",
    ".git/info/attributes",
  ],
  ...[
    ".mcp.json",
    ".claude/settings.json",
    ".claude/commands/x.md",
    ".vscode/tasks.json",
    ".idea/workspace.xml",
  ],
  ...[
    ".bashrc",
    ".bash_profile",
    ".profile",
    ".zshrc",
    ".zshenv",
    ".envrc",
    ".npmrc",
    ".yarnrc.yml",
    ".ssh/authorized_keys",
  ],
  ...PROTECTED.map((name) => `deep/${name.replace("*", "project")}`),
  ...["bare/HEAD", ".hg/hgrc", ".netrc", ".vimrc", "deep/er/.claude/x", ".cursor/mcp.json", ".ripgreprc"],
];

function* disguises(name: string): Generator<string> {
  yield* [name, name.toUpperCase(), `./${name}`, `x/../${name}`, name.replace(/\//g, "//"), `${name}/`];
  yield* [
    name.replace(".g", ".\u200bg").replace(".m", ".\u200dm"),
    name.replace(/^\./, "\ufeff."),
    `${name}.`,
    `${name} `,
  ];
  yield* [name.replace("i", "I"), name.replace("s", "\u017f"), name.replace("k", "\u212a"), `${name}::$DATA`];
}

test("every file tool rejects writes to files that act with the operator's rights, in any spelling", async () => {
  const workspace = createWorkspace({ protectedNames: [".env"] });
  const { root } = workspace;
  const before = "as it was";
  const all = [...NAMES, ".env", "sub/.ENV"].flatMap((name) => [...disguises(name)]);
  assert.ok(all.length > 300);
  for (const path of all) {
    for (const use of uses(path).slice(7)) {
      assert.match(await attempt(workspace, use), /protected|folder$|no such file/, `${use[0].name} ${path}`);
    }
  }
  assert.deepEqual(readdirSync(root), [], "no folder was created");
  // Existing files stay, also behind links, and may be read.
  workspace.put({ ".git/config": before, ".mcp.json": before });
  symlinkSync(".git", join(root, "innocent"));
  symlinkSync(".mcp.json", join(root, "file"));
  for (const path of [".git/config", "innocent/config", "innocent/hooks/new", "file", ".mcp.json"]) {
    await attempt(workspace, [read, { file_path: path }]);
    for (const use of uses(path).slice(7)) assert.match(await attempt(workspace, use), /protected/, path);
  }
  assert.equal(workspace.get(".git/config") + workspace.get(".mcp.json"), before + before);
  assert.deepEqual(readdirSync(join(root, ".git")), ["config"]);
  assert.equal(await workspace.run(read, { file_path: "innocent/config" }), `     1\t${before}`);
});

test("every file tool rejects writes to paths that the settings of git name", async () => {
  const workspace = createWorkspace();
  workspace.put({
    "repo/.git/config":
      "[core]\n\thooksPath = tools/hooks\n\tfsmonitor = ./watch.sh\n[include]\n\tpath = ../team.cfg\n",
    "repo/team.cfg": '[alias]\n\tst = "!bash scripts/status.sh --short"\n',
    "repo/tools/hooks/pre-commit": "mine",
    "repo/sub/.git": "gitdir: ../.git/modules/sub\n",
    "repo/.git/modules/sub/config": "[core]\n\thooksPath = .\n",
    "top/notes.txt": "mine",
  });
  const named = [
    ...["repo/tools/hooks/pre-commit", "repo/tools/hooks/new/er", "repo/watch.sh", "repo/team.cfg"],
    ...["repo/scripts/status.sh", "repo/sub/pre-push"],
  ];
  for (const path of named) {
    for (const use of uses(path).slice(7)) assert.match(await attempt(workspace, use), /protected/, path);
  }
  for (
    const path of ["repo/tools/x", "repo/scripts/x.sh", "repo/sub/x", "repo/watch.sh.txt", "top/pre-commit"]
  ) {
    assert.doesNotMatch(
      await attempt(workspace, [write, { file_path: path, content: "x" }]),
      /^Cannot/,
      path,
    );
  }
});

test("every file tool rejects writes to the targets of links in a repository's hooks", async () => {
  const workspace = createWorkspace();
  const { root } = workspace;
  workspace.put({
    "repo/.git/config": "[core]\n\thooksPath = link\n",
    "repo/.git/hooks/x": "mine",
    "repo/scripts/check.sh": "mine",
    "repo/real/pre-push": "mine",
    "home/.git/config": `[core]\n\thooksPath = ~/${root.split("/").at(-1)}/home/shared\n`,
  });
  symlinkSync("../../scripts/check.sh", join(root, "repo/.git/hooks/pre-commit"));
  symlinkSync("real", join(root, "repo/link"));
  for (const path of ["repo/scripts/check.sh", "repo/real/pre-push", "home/shared/pre-commit"]) {
    for (const use of uses(path).slice(7)) assert.match(await attempt(workspace, use), /protected/, path);
  }
  const use: [Tool, unknown] = [write, { file_path: "repo/scripts/other.sh", content: "x" }];
  assert.doesNotMatch(await attempt(workspace, use), /^Cannot/);
});

test("every file tool works if the settings of git are a link to a device", async () => {
  const workspace = createWorkspace();
  workspace.put({ "repo/.git/HEAD": "x", "repo/notes.txt": "mine" });
  symlinkSync("/dev/zero", join(workspace.root, "repo/.git/config"));
  const use: [Tool, unknown] = [write, { file_path: "repo/new.txt", content: "x" }];
  assert.doesNotMatch(await attempt(workspace, use), /^Cannot/);
});

test("Glob needs linear time for any pattern and names", async () => {
  const workspace = createWorkspace();
  const { put } = workspace;
  const long = "a".repeat(200) + "bc";
  put({ [long]: "x", [`${"a/".repeat(60)}b`]: "x", "aaa/{x}": "x" });
  const bombs = [
    "*a".repeat(30) + "*bd",
    "**/a/".repeat(20) + "z",
    "a**".repeat(50) + "z",
    "?*".repeat(100) + "z",
    "{a,b}".repeat(100) + "z",
    "{".repeat(300),
    "{a,".repeat(300),
    "}".repeat(300),
    "[".repeat(300),
    "{{{a,b},{c,d}},{e,f}}".repeat(20),
    "*".repeat(500) + "z",
    "{1..1000000000}",
    "{a..z}".repeat(20),
    "[a-z]*".repeat(40) + "z",
    "(a+)+z",
    "@(a|aa)+z",
    "!(a)*z",
    "+(a|aa)z",
    "**/".repeat(300) + "z",
    "[z-a]",
    "[[:alpha:]]*z",
    "\\",
    "a\\",
    "x".repeat(2000),
    "{a*,*a}".repeat(40) + "z",
  ];
  for (const pattern of bombs) {
    const use = [[glob, { pattern }], [ls, { ignore: [pattern] }], [grep, {
      pattern: "x",
      glob: pattern,
    }]] as const;
    for (const [tool, input] of use) {
      assert.ok((await attempt(workspace, [tool, input])).length < 5000, pattern);
    }
  }
  put({
    ".gitignore": bombs.filter((bomb) => !bomb.includes("\\")).join("\n") + "\n" + "*a".repeat(60) + "*bd",
  });
  assert.match(await workspace.run(glob, { pattern: "*bc" }), /bc$/);
});

/** Creates a device with endless zeros; a pipe if devices are not permitted. */
function makeDevice(path: string): void {
  try {
    execFileSync("mknod", [path, "c", "1", "5"], { stdio: "ignore" });
  } catch {
    execFileSync("mkfifo", [path]);
  }
}

function removeEmptyDrafts(outside: string): void {
  for (const name of readdirSync(outside)) {
    if (/^\.[0-9a-f]{18}\.tmp$/.test(name) && readFileSync(join(outside, name)).length === 0) {
      renameSync(join(outside, name), join(dirname(outside), "ws", name));
    }
  }
}
