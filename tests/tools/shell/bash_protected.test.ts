import assert from "node:assert/strict";
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { ToolError } from "../../../tools/errors.ts";
import type { SetAsideFile } from "../../../tools/host/shell.ts";
import { PROTECTED } from "../../../tools/policy/protected.ts";
import { createShellWorkspace, type ShellWorkspace, whyNoSandbox } from "./shell_workspace.ts";

const skip = await whyNoSandbox();
if (skip !== undefined) console.log(`protected files of Bash: skipped: ${skip}`);

/** Runs `use` in a workspace with files. A name that ends in a slash is a folder, a text `-> x` is a link to `x`. */
async function withWorkspace(
  files: Record<string, string>,
  use: (workspace: ShellWorkspace) => Promise<void>,
): Promise<void> {
  const workspace = createShellWorkspace();
  try {
    for (const [path, text] of Object.entries(files)) put(workspace.root, path, text);
    await use(workspace);
  } finally {
    workspace.remove();
  }
}

function put(root: string, path: string, text: string): void {
  mkdirSync(join(root, path.endsWith("/") ? path : dirname(path)), { recursive: true });
  if (path.endsWith("/")) return;
  if (text.startsWith("-> ")) symlinkSync(text.slice(3), join(root, path));
  else writeFileSync(join(root, path), text);
}

/** Returns the files of a repository without hooks. */
function repository(folder: string, config = "[core]\n"): Record<string, string> {
  return {
    [`${folder}/HEAD`]: "ref: refs/heads/main\n",
    [`${folder}/config`]: config,
    [`${folder}/objects/`]: "",
    [`${folder}/refs/`]: "",
  };
}

/** Returns a command that creates a repository without git. */
const newRepository = (folder: string) =>
  `mkdir -p ${folder}/objects ${folder}/refs ${folder}/hooks; echo 'ref: refs/heads/main' > ${folder}/HEAD; ` +
  `echo '[core] fsmonitor = evil' > ${folder}/config; echo evil > ${folder}/hooks/pre-commit`;

interface Attack {
  files?: Record<string, string>;
  command: string;
  /** Paths that must not exist afterwards. */
  gone?: string[];
  /** Files that must have this content afterwards, or links with this target. */
  kept?: Record<string, string>;
}

const ATTACKS: Record<string, Attack> = {
  "a hook of a new folder": {
    command: "mkdir -p new/.git/hooks; echo evil > new/.git/hooks/pre-commit",
    gone: ["new/.git"],
  },
  "a new repository": { command: newRepository("new/.git"), gone: ["new/.git/hooks", "new/.git/config"] },
  "a hook in place of a moved repository": {
    files: repository("repo/.git"),
    command: "mv repo old; mkdir -p repo/.git/hooks; echo evil > repo/.git/hooks/pre-commit",
    gone: ["repo/.git"],
    kept: { "old/.git/config": "[core]\n" },
  },
  "a repository in place of a moved one": {
    files: repository("repo/.git"),
    command: `mv repo old; ${newRepository("repo/.git")}`,
    gone: ["repo/.git/hooks", "repo/.git/config"],
    kept: { "old/.git/config": "[core]\n" },
  },
  "a file in the data of a bare repository": {
    command: `${newRepository("bare")}; mkdir bare/objects/sub; echo evil > bare/objects/sub/.envrc`,
    gone: ["bare/objects/sub/.envrc"],
  },
  "a file in place of a moved folder": {
    files: { "sub/.envrc": "mine" },
    command: "mv sub old; mkdir sub; echo evil > sub/.envrc",
    gone: ["sub/.envrc"],
    kept: { "old/.envrc": "mine" },
  },
  "a repository at any depth": {
    files: repository("a/b/c/d/e/f/.git"),
    command: "echo evil >> a/b/c/d/e/f/.git/config; echo evil > a/b/c/d/e/f/.git/hooks/pre-commit",
    gone: ["a/b/c/d/e/f/.git/hooks/pre-commit"],
    kept: { "a/b/c/d/e/f/.git/config": "[core]\n" },
  },
  "a bare repository": {
    command: newRepository("bare"),
    gone: ["bare/config", "bare/hooks"],
  },
  "the settings of a bare repository": {
    files: repository("bare"),
    command:
      "echo '[core] fsmonitor = evil' >> bare/config; mkdir -p bare/hooks; echo evil > bare/hooks/pre-commit",
    gone: ["bare/hooks/pre-commit"],
    kept: { "bare/config": "[core]\n" },
  },
  "a repository by a pointer": {
    command: `${newRepository("data")}; mkdir sub; echo 'gitdir: ../data' > sub/.git`,
    gone: ["sub/.git", "data/config", "data/hooks"],
  },
  "a repository by a link": {
    command: `${newRepository("data")}; mkdir sub; ln -s ../data sub/.git`,
    gone: ["sub/.git", "data/config"],
  },
  "a repository by a common folder": {
    command: `${
      newRepository("data")
    }; mkdir two; cp data/HEAD two; echo ../data > two/commondir; rm -r data/refs`,
    gone: ["two/commondir"],
  },
  "a disguised .git": {
    command: "mkdir -p sub/.GIT/hooks; echo evil > sub/.GIT/hooks/x",
    gone: ["sub/.GIT"],
  },
  "the target of a link": {
    files: { ".envrc": "-> envrc.real", "envrc.real": "mine" },
    command: "echo evil > envrc.real; rm -f envrc.real; echo evil > .envrc",
    kept: { "envrc.real": "mine", ".envrc": "-> envrc.real" },
  },
  "the folder that a link leads to": {
    files: { "shared/settings.json": "mine", "sub/.vscode": "-> ../shared" },
    command: "echo evil > shared/settings.json; echo evil > sub/.vscode/tasks.json",
    gone: ["shared/tasks.json"],
    kept: { "shared/settings.json": "mine", "sub/.vscode": "-> ../shared" },
  },
  "a link": {
    files: { "sub/.envrc": "-> ../envrc.real", "envrc.real": "mine" },
    command: "rm sub/.envrc; echo evil > sub/.envrc",
    kept: { "sub/.envrc": "-> ../envrc.real", "envrc.real": "mine" },
  },
  "a link in between": {
    files: { "sub/.envrc": "-> ../middle", "middle": "-> envrc.real", "envrc.real": "mine" },
    command: "rm middle; echo evil > middle",
    gone: ["sub/.envrc"],
    kept: { "envrc.real": "mine" },
  },
  "a link without a target": {
    files: { "sub/.envrc": "-> ../none" },
    command: "echo evil > none",
    gone: ["sub/.envrc"],
  },
  "a link to a file that it has written": {
    command: "mkdir sub; echo evil > x; ln -s ../x sub/.envrc",
    gone: ["sub/.envrc"],
  },
  "the files that make a folder a repository": {
    files: repository("repo/.git"),
    command: "rm -rf repo/.git/HEAD repo/.git/objects repo/.git/refs",
    kept: { "repo/.git/config": "[core]\n" },
  },
  "the instructions of a rebase": {
    files: repository("repo/.git"),
    command:
      "mkdir repo/.git/rebase-merge; printf 'pick 123\\nexec evil\\n' > repo/.git/rebase-merge/git-rebase-todo",
    gone: ["repo/.git/rebase-merge/git-rebase-todo"],
  },
  "an instruction of a rebase in progress": {
    files: { ...repository("repo/.git"), "repo/.git/rebase-merge/git-rebase-todo": "exec mine\npick 1\n" },
    command: "echo 'x evil' >> repo/.git/rebase-merge/git-rebase-todo",
    gone: ["repo/.git/rebase-merge/git-rebase-todo"],
  },
  "the strategy of a rebase": {
    files: repository("repo/.git"),
    command: "mkdir repo/.git/rebase-merge; echo /../evil > repo/.git/rebase-merge/strategy",
    gone: ["repo/.git/rebase-merge/strategy"],
  },
  "the strategy of a cherry-pick": {
    files: repository("repo/.git"),
    command: `mkdir repo/.git/sequencer; echo '[options] strategy = "/../evil"' > repo/.git/sequencer/opts`,
    gone: ["repo/.git/sequencer/opts"],
  },
  "a folder of hooks that the settings name": {
    files: {
      ...repository("repo/.git", "[core]\n\thooksPath = tools/hooks\n"),
      "repo/tools/hooks/pre-commit": "mine",
    },
    command:
      "cd repo; echo evil > tools/hooks/pre-commit; echo evil > tools/hooks/pre-push; mv tools/hooks x",
    gone: ["repo/tools/hooks/pre-push", "repo/x"],
    kept: { "repo/tools/hooks/pre-commit": "mine" },
  },
  "a folder of hooks that does not exist yet": {
    files: repository("repo/.git", '[core]\n  HooksPath = "later/hooks" # soon\n'),
    command: "mkdir -p repo/later/hooks; echo evil > repo/later/hooks/pre-commit",
    gone: ["repo/later/hooks"],
  },
  "hooks in the working folder": {
    files: repository("repo/.git", "[core]\nhooksPath = .\n"),
    command: "cd repo; echo evil > pre-commit; echo fine > notes.txt",
    gone: ["repo/pre-commit"],
    kept: { "repo/notes.txt": "fine\n" },
  },
  "included settings": {
    files: {
      ...repository("repo/.git", "[include]\n\tpath = ../team.gitconfig\n"),
      "repo/team.gitconfig": "[user]\n",
    },
    command: "echo '[core] fsmonitor = evil' >> repo/team.gitconfig; rm repo/team.gitconfig",
    kept: { "repo/team.gitconfig": "[user]\n" },
  },
  "paths that included settings name": {
    files: {
      ...repository("repo/.git", '[includeIf "gitdir:~/"]\n\tpath = ../team.gitconfig\n'),
      "repo/team.gitconfig": '[filter "x"]\n\tclean = python3 scripts/clean.py --all\n',
      "repo/scripts/clean.py": "mine",
    },
    command: "echo evil > repo/scripts/clean.py",
    kept: { "repo/scripts/clean.py": "mine" },
  },
  "the program that watches files": {
    files: { ...repository("repo/.git", "[core]\n\tfsmonitor = ./watch.sh\n"), "repo/watch.sh": "mine" },
    command: "echo evil > repo/watch.sh",
    kept: { "repo/watch.sh": "mine" },
  },
  "the settings of a submodule": {
    files: {
      ...repository("repo/.git"),
      ...repository("repo/.git/modules/sub", "[core]\n\thooksPath = ../../../sub/hooks\n"),
      "repo/sub/.git": "gitdir: ../.git/modules/sub\n",
      "repo/sub/hooks/pre-commit": "mine",
    },
    command: "cd repo; echo evil > .git/modules/sub/config; echo evil > sub/.git",
    kept: { "repo/sub/.git": "gitdir: ../.git/modules/sub\n" },
  },
  "a file beside a folder whose name is not UTF-8": {
    command: "mkdir sub $'odd\\xff'; echo evil > sub/.envrc",
    gone: ["sub/.envrc"],
  },
  "a file beside settings that are too large": {
    command: `${newRepository("bare")}; head -c 1100000 /dev/zero > bare/config; echo evil > bare/.envrc`,
    gone: ["bare/config", "bare/.envrc"],
  },
  "instructions of a rebase that are too large": {
    files: repository("repo/.git"),
    command: "mkdir repo/.git/rebase-merge; (echo exec evil; head -c 1100000 /dev/zero) > " +
      "repo/.git/rebase-merge/git-rebase-todo",
    gone: ["repo/.git/rebase-merge/git-rebase-todo"],
  },
  "pipes as settings": {
    command:
      `${newRepository("bare")}; rm bare/config; mkfifo bare/config; mkdir bare/rebase-merge sub two; ` +
      "mkfifo bare/rebase-merge/git-rebase-todo sub/.git two/commondir; touch two/HEAD; echo evil > sub/.envrc",
    gone: ["bare/config", "two/commondir", "sub/.git", "sub/.envrc"],
  },
  "a device as settings": {
    command: `${newRepository("bare")}; ln -sf /dev/zero bare/config; echo evil > bare/.envrc`,
    gone: ["bare/config", "bare/.envrc"],
  },
  "a socket as settings": {
    command: `${newRepository("bare")}; rm bare/config; echo evil > bare/.envrc; ` +
      `python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("bare/config")'`,
    gone: ["bare/config", "bare/.envrc"],
  },
  "a folder of settings by a link": {
    command: "mkdir mine sub; echo evil > mine/config.toml; ln -s ../mine sub/.cargo",
    gone: ["sub/.cargo"],
  },
  "the target of a link that is a hook": {
    files: {
      ...repository("repo/.git"),
      "repo/.git/hooks/pre-commit": "-> ../../scripts/check.sh",
      "repo/scripts/check.sh": "mine",
    },
    command: "echo evil > repo/scripts/check.sh; rm -f repo/scripts/check.sh",
    kept: { "repo/scripts/check.sh": "mine" },
  },
  "the target of a link in a protected folder": {
    files: { "sub/.claude/settings.json": "-> ../../shared/settings.json", "shared/settings.json": "mine" },
    command: "echo evil > shared/settings.json; rm -f shared/settings.json",
    kept: { "shared/settings.json": "mine" },
  },
  "a folder in place of the one where such a link leads": {
    files: { "sub/.claude/settings.json": "-> ../../shared/settings.json", "shared/settings.json": "mine" },
    command: "mv shared old; mkdir shared; echo evil > shared/settings.json",
    gone: ["sub/.claude/settings.json"],
    kept: { "old/settings.json": "mine" },
  },
  "a folder that it makes read-only": {
    command: "mkdir sub; echo evil > sub/.envrc; chmod 555 sub",
    gone: ["sub/.envrc"],
  },
  "a name as long as names may be": {
    command: `mkdir sub; echo evil > sub/$(printf 'x%.0s' {1..240}).code-workspace`,
    gone: [`sub/${"x".repeat(240)}.code-workspace`],
  },
  "a name with control characters": {
    command: `mkdir $'new\\nline'; echo evil > $'new\\nline/.envrc'`,
    gone: ["new\nline/.envrc"],
  },
};

for (const [what, { files = {}, command, gone = [], kept = {} }] of Object.entries(ATTACKS)) {
  test(
    `Bash leaves no file that other programs execute: ${what}`,
    { skip },
    () =>
      withWorkspace(files, async ({ root, run }) => {
        const { endedBy, setAside } = await run(command);
        assert.equal(endedBy, "exit");
        for (const path of gone) assert.equal(exists(join(root, path)), false, `${path} exists`);
        for (const [path, text] of Object.entries(kept)) assert.equal(show(join(root, path)), text, path);
        for (const { path, newName } of setAside) {
          assert.ok(newName !== undefined, `${path} could not be renamed`);
        }
        const left = readdirSync(root).filter((name) =>
          !Object.keys(files).some((path) => path.startsWith(name))
        );
        assert.ok(left.every((name) => !PROTECTED.includes(name)), `placeholders are left: ${left}`);
      }),
  );
}

function exists(path: string): boolean {
  return existsSync(path) || lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function show(path: string): string {
  return lstatSync(path).isSymbolicLink() ? `-> ${readlinkSync(path)}` : readFileSync(path, "utf8");
}

test(
  "Bash leaves no new file with a protected name, in any folder",
  { skip, timeout: 60_000 },
  () =>
    withWorkspace({}, async ({ root, run }) => {
      const names = PROTECTED.map((name) => name.replace("*", "project"));
      const paths = names.flatMap((name) => [`sub/${name}`, `a/b/c/d/e/f/${name.toUpperCase()}`]);
      const { setAside } = await run(
        paths.map((path) => `mkdir -p ${dirname(path)}; echo evil > ${path}`).join("\n"),
      );
      assert.deepEqual(setAside.map(({ path }) => path).sort(), paths.sort());
      for (const path of paths) assert.equal(existsSync(join(root, path)), false, path);
    }),
);

test("Bash changes no existing file with a protected name, in any folder", { skip, timeout: 60_000 }, () => {
  const paths = PROTECTED.map((name) => `sub/${name.replace("*", "project")}`);
  return withWorkspace(Object.fromEntries(paths.map((path) => [path, "mine"])), async ({ root, run }) => {
    const { setAside } = await run(
      paths.map((path) => `echo evil > ${path}; rm -rf ${path}; mv ${path} x; echo evil > y; mv -f y ${path}`)
        .join("\n"),
    );
    assert.deepEqual(setAside, []);
    for (const path of paths) assert.equal(show(join(root, path)), "mine", path);
  });
});

test(
  "Bash sets aside a protected file that it changed through another name",
  { skip },
  () =>
    withWorkspace({ "sub/.envrc": "mine" }, async ({ root, run }) => {
      linkSync(join(root, "sub/.envrc"), join(root, "other"));
      const { setAside } = await run("echo evil > other");
      assert.deepEqual(setAside.map(({ path }) => path), ["sub/.envrc"]);
      assert.equal(existsSync(join(root, "sub/.envrc")), false);
    }),
);

test(
  "Bash leaves no file that one command creates, and another restores after the check of the first",
  { skip },
  () =>
    withWorkspace({ "node_modules/": "" }, async ({ root, run }) => {
      const wait = (name: string) => `until [ -e ${name} ]; do sleep 0.02; done`;
      const first = run(
        `mkdir sub; echo evil > sub/.envrc; touch created; ${wait("started")}; mv sub node_modules/sub`,
      );
      while (!existsSync(join(root, "created"))) await nextTurn();
      const second = run(`touch started; ${wait("checked")}; mv node_modules/sub sub`);
      assert.deepEqual((await first).setAside, []);
      writeFileSync(join(root, "checked"), "");
      assert.deepEqual((await second).setAside.map(({ path }) => path), ["sub/.envrc"]);
    }),
);

test("Bash does not change files that the command did not create or change", { skip }, () =>
  withWorkspace(
    {
      ...repository("repo/.git"),
      "sub/.envrc": "mine",
      "sub/.vscode/settings.json": "mine",
      "sub/.bashrc": "-> ../home/bashrc",
      "home/bashrc": "mine",
      "package.json": "{}",
      "CLAUDE.md": "mine",
      "sub/.claude/CLAUDE.md": "-> ../../CLAUDE.md",
      "sub/.claude/top": "-> ../..",
      "node_modules/x/.envrc": "mine",
    },
    async ({ root, run, useTool }) => {
      const { setAside } = await run(
        "echo {} > package.json; mkdir -p repo/.git/refs/heads; echo 1 > repo/.git/refs/heads/main; echo x > Makefile; " +
          "mkdir -p .github/workflows; echo x > .github/workflows/ci.yml; echo x > CLAUDE.md; mv sub moved",
      );
      assert.deepEqual(setAside, []);
      assert.equal(show(join(root, "moved/.envrc")), "mine");
      assert.deepEqual(await useTool({ command: "echo hi" }), { text: "hi", failed: false });
    },
  ));

test(
  "Bash reports files that were set aside to the model and to `onSetAside`",
  { skip },
  () =>
    withWorkspace({}, async ({ root, useTool, open }) => {
      const command = "mkdir sub; echo evil > sub/.envrc; exit 3";
      const { text, failed } = await useTool({ command });
      assert.equal(failed, true);
      const message =
        /^Exit code 3\n\nThe gateway has set aside files .*\n"sub\/\.envrc" is now called "(\.envrc\.set-aside-[0-9a-f]{8})"$/;
      assert.match(text, message);
      const [, newName = ""] = message.exec(text) ?? [];
      assert.equal(readFileSync(join(root, "sub", newName), "utf8"), "evil\n");

      const noted: SetAsideFile[][] = [];
      const { signal } = new AbortController();
      await open({ signal, onSetAside: (files) => noted.push([...files]) }).run("echo evil > sub/.npmrc");
      assert.deepEqual(noted.map((files) => files.map(({ path }) => path)), [["sub/.npmrc"]]);
    }),
);

test(
  "Bash runs no command after a folder could not be checked",
  { skip },
  () =>
    withWorkspace({}, async ({ root, run, useTool }) => {
      const why = /^Cannot run commands: the folder ".*" cannot be read/;
      const { text, failed } = await useTool({
        command: "mkdir sub $'odd\\xff'; echo evil > $'odd\\xff/.envrc'; echo evil > sub/.envrc; echo done",
      });
      assert.equal(failed, true);
      assert.match(text, why);
      assert.match(text, /\n\ndone\n\nThe gateway has set aside files .*\n"sub\/\.envrc" is now called/);
      await assert.rejects(
        run("touch ran"),
        (error) => error instanceof ToolError && why.test(error.message),
      );
      assert.equal(existsSync(join(root, "ran")), false);
    }),
);

test("Bash does not run in a workspace that cannot be protected", { skip, timeout: 120_000 }, async () => {
  const repositories = Object.assign(
    {},
    ...Array.from({ length: 450 }, (_, nth) => repository(`r${nth}/.git`)),
  );
  await withWorkspace(repositories, async ({ root, run }) => {
    await assert.rejects(run("touch ran"), (error) => {
      assert.ok(error instanceof ToolError);
      assert.match(
        error.message,
        /^Cannot run commands: the workspace has \d+ files and folders that other programs/,
      );
      return true;
    });
    assert.equal(existsSync(join(root, "ran")), false);
    assert.deepEqual(readdirSync(join(root, "r7/.git")).sort(), ["HEAD", "config", "objects", "refs"]);
  });
});

test(
  "Bash protects a workspace with 25,000 entries in its top folder",
  { skip, timeout: 120_000 },
  () =>
    withWorkspace({ ...repository("repo/.git"), "sub/.envrc": "mine" }, async ({ root, run }) => {
      for (let nth = 0; nth < 25_000; nth++) writeFileSync(join(root, `a${nth}`), "");
      await run("echo evil > repo/.git/hooks/pre-commit; echo evil > sub/.envrc; echo evil > sub/.npmrc");
      assert.equal(existsSync(join(root, "repo/.git/hooks/pre-commit")), false);
      assert.equal(existsSync(join(root, "sub/.npmrc")), false);
      assert.equal(show(join(root, "sub/.envrc")), "mine");
    }),
);
