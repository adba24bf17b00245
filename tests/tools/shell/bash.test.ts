import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { createShellWorkspace, whyNoSandbox } from "./shell_workspace.ts";

const skip = await whyNoSandbox();
if (skip !== undefined) console.log(`Bash in the sandbox: skipped: ${skip}`);

const workspace = createShellWorkspace();
after(() => workspace.remove());
const { root } = workspace;

interface Described {
  input: unknown;
  text: string | RegExp;
  failed?: boolean;
}

const CASES: Record<string, Described> = {
  "returns the output": { input: { command: "echo one; echo two" }, text: "one\ntwo" },
  "separates stderr": { input: { command: "echo out; echo err >&2" }, text: "out\n\nstderr:\nerr" },
  "reports an empty output": {
    input: { command: "true" },
    text: "The command succeeded and printed nothing",
  },
  "fails with the exit code": {
    input: { command: "echo so far; echo why >&2; exit 3" },
    text: "Exit code 3\n\nso far\n\nstderr:\nwhy",
    failed: true,
  },
  "fails with the exit code of a signal": {
    input: { command: "kill -TERM $$" },
    text: "Exit code 143",
    failed: true,
  },
  "starts in the workspace": { input: { command: "pwd" }, text: root },
  "runs cd": { input: { command: "cd /usr && pwd" }, text: "/usr" },
  "starts in the workspace after a cd": {
    input: { command: "pwd; echo $HOME $TMPDIR; id -un" },
    text: `${root}\n/tmp /tmp\nuser`,
  },
  "supports the syntax of bash": {
    input: { command: "a=(x y); [[ ${a[1]} == y ]] && echo ${#a[@]}" },
    text: "2",
  },
  "passes stdin": { input: { command: "cat; read x || echo end", input: "line\n" }, text: "line\nend" },
  "closes stdin without an input": { input: { command: "cat; echo end" }, text: "end" },
  "ignores stdin that the command does not read": {
    input: { command: "echo done", input: "x".repeat(1_000_000) },
    text: "done",
  },
  "passes on text that is not ASCII": { input: { command: "echo 'ä€😀' | rev" }, text: "😀€ä" },
  "replaces bytes that are not UTF-8": {
    input: { command: "printf 'a\\xffb'" },
    text: "a\ufffdb",
  },
  "removes colours and replaces NUL": {
    input: { command: "printf '\\e[1;31mred\\e[0m\\e]0;title\\a a\\0b'" },
    text: "red a\ufffdb",
  },
  "opens /dev/stdin, /dev/stdout and /dev/stderr": {
    input: { command: "cat /dev/stdin; echo o >/dev/stdout; echo e >/dev/stderr", input: "i\n" },
    text: "i\no\n\nstderr:\ne",
  },
  "finds names of its processes in /proc": { input: { command: "cat /proc/$$/comm; true" }, text: "bash" },
  "has a /tmp": {
    input: { command: "echo x >/tmp/x; cat /tmp/x" },
    text: "x",
  },
  "has a separate /tmp for each call": {
    input: { command: "ls /tmp/x" },
    text: /No such file/,
    failed: true,
  },
  "writes to the workspace": { input: { command: "mkdir d && echo x > d/f && cat d/f" }, text: "x" },
  "runs the shell's and the system's programs": {
    input: { command: "printf 'b\\na\\n' | sort | head -1 | tr a-z A-Z" },
    text: "A",
  },
  "accepts a timeout in seconds": {
    input: { command: "echo begun; sleep 600", timeout: 1.5 },
    text: "The command and all its processes were stopped after its timeout of 1.5 s\n\nbegun",
    failed: true,
  },
  "accepts a timeout in milliseconds": {
    input: { command: "sleep 600", timeout: 700 },
    text: "The command and all its processes were stopped after its timeout of 0.7 s",
    failed: true,
  },
  "accepts other names for its input": { input: { cmd: "cat", stdin: "x" }, text: "x" },
  "cannot run in the background": {
    input: { command: "echo x", run_in_background: true },
    text: /^Cannot run the command in the background: .*foreground/,
    failed: true,
  },
  "accepts run_in_background: false": {
    input: { command: "echo x", run_in_background: false },
    text: "x",
  },
  "ignores unknown switches in its input": {
    input: {
      command: "cat ../outside/canary.txt",
      dangerouslyDisableSandbox: true,
      user_confirmed_deletion: true,
      sandbox: "off",
      network: true,
    },
    text: /No such file/,
    failed: true,
  },
  "rejects a missing command": { input: {}, text: /^Cannot use Bash: .*command/, failed: true },
  "rejects an empty command": {
    input: { command: "" },
    text: /^Cannot use Bash: command/,
    failed: true,
  },
  "rejects an invalid timeout": {
    input: { command: "true", timeout: 0 },
    text: /^Cannot use Bash: timeout/,
    failed: true,
  },
  "rejects a NUL character": {
    input: { command: "echo a\0b" },
    text: "Cannot run the command: it contains a NUL character",
    failed: true,
  },
  "explains how to run a command that is too long": {
    input: { command: `: ${"x".repeat(130_000)}` },
    text: /^Cannot run the command: it is longer than 128000 bytes; write a script/,
    failed: true,
  },
  "accepts a long command": { input: { command: `x=${"x".repeat(120_000)}; echo \${#x}` }, text: "120000" },
  "returns a syntax error": {
    input: { command: "if" },
    text: /^Exit code 2\n\nstderr:\nbash: .*syntax error/,
    failed: true,
  },
};

for (const [does, { input, text, failed = false }] of Object.entries(CASES)) {
  test(`Bash ${does}`, { skip }, async () => {
    const result = await workspace.useTool(input);
    if (typeof text === "string") assert.equal(result.text, text);
    else assert.match(result.text, text);
    assert.equal(result.failed, failed);
  });
}

test("Bash keeps the beginning and the end of a long output", { skip }, async () => {
  const { text, failed } = await workspace.useTool({ command: "seq 1 100000" });
  assert.equal(failed, false);
  assert.match(text, /^1\n2\n3\n/);
  assert.match(text, /99999\n100000$/);
  assert.match(text, /\n\[… 558895 characters left out …\]\n/);
  assert.equal(text.replace(/\n\[….*…\]\n/, "").length, 29_999);
});

test("Bash stops a command with endless output", { skip }, async () => {
  const flood = createShellWorkspace({ limits: { maxOutputBytes: 2 ** 20, keptOutputChars: 100 } });
  try {
    for (
      const command of ["yes", "yes >&2", "cat /dev/zero", "yes | tee /dev/stderr", "setsid yes & sleep 100"]
    ) {
      const { text, failed } = await flood.useTool({ command });
      assert.match(
        text,
        /^The command and all its processes were stopped: it printed more than 1 MiB/,
        command,
      );
      assert.ok(failed && text.length < 500);
    }
  } finally {
    flood.remove();
  }
});

test("Bash stops its command when the call is cancelled", { skip }, async () => {
  const call = new AbortController();
  const result = workspace.useTool({ command: "echo begun > begun; sleep 600" }, call.signal);
  while (!existsSync(join(root, "begun"))) await new Promise((resolve) => setImmediate(resolve));
  call.abort();
  assert.deepEqual(await result, {
    text: "The command and all its processes were stopped: the call ended",
    failed: true,
  });
  assert.match(
    (await workspace.useTool({ command: "echo x" }, call.signal)).text,
    /^Cannot run the command: the call was cancelled$/,
  );
});

test("Bash runs concurrent commands, each in a separate sandbox", { skip }, async () => {
  const all = await Promise.all(
    Array.from({ length: 5 }, (_, at) => workspace.useTool({ command: `echo ${at} > /tmp/x; cat /tmp/x` })),
  );
  assert.deepEqual(all.map(({ text }) => text), ["0", "1", "2", "3", "4"]);
});

test("Bash leaves no placeholder of a protected file in the workspace", { skip }, async () => {
  writeFileSync(join(root, ".envrc"), "mine\n");
  const { text } = await workspace.useTool({ command: "ls -A" });
  assert.match(text, /\.mcp\.json/);
  assert.deepEqual(readdirSync(root).filter((name) => name.startsWith(".")), [".envrc"]);
  assert.equal(readFileSync(join(root, ".envrc"), "utf8"), "mine\n");
});

test("Bash allows git to write all files except settings and hooks", { skip }, async () => {
  const git = createShellWorkspace();
  const plain = createShellWorkspace({ root: git.root, sandbox: "off" });
  try {
    const had = await plain.run("command -v git && git init -q . && echo x > f");
    if (had.code !== 0) return console.log("Bash with git: skipped: there is no git");
    const { text, failed } = await git.useTool({
      command: "git status --short && git add -A && git -c user.name=a -c user.email=a@b commit -qm one && " +
        "git checkout -qb side && git log --format=%s%d && " +
        "git show --name-only --format= && git stash list && git gc -q && git status --short",
    });
    assert.equal(
      text,
      "?? f\none (HEAD -> side, master)\nf".replace("master", text.match(/side, (\w+)/)?.[1] ?? "master"),
    );
    assert.equal(failed, false);
    assert.match(
      (await git.useTool({ command: "git config core.pager evil" })).text,
      /could not lock|Read-only|Device or resource busy/,
    );
    assert.equal(existsSync(join(git.root, ".git/commondir")), false);
    assert.equal((await plain.run("git status --short && git log --format=%s")).stdout, "one\n");
  } finally {
    git.remove();
    plain.remove();
  }
});

test("Bash without a sandbox has a warning in its description, and a clean environment", async () => {
  const plain = createShellWorkspace({ sandbox: "off" });
  try {
    assert.match(plain.tool.description, /WITHOUT a sandbox/);
    assert.doesNotMatch(workspace.tool.description, /WITHOUT/);
    const { text } = await plain.useTool({
      command: "env | sort | grep -v '^\\(PWD\\|OLDPWD\\|SHLVL\\|_\\)='",
    });
    assert.equal(
      text,
      [
        `HOME=${plain.root}`,
        "LANG=C.UTF-8",
        `PATH=${plain.policy.path}`,
        "TERM=dumb",
        "TMPDIR=/tmp",
      ].join("\n"),
    );
    assert.deepEqual(await plain.useTool({ command: "echo x; exit 2" }), {
      text: "Exit code 2\n\nx",
      failed: true,
    });
    assert.match(
      (await plain.useTool({ command: "sleep 600 & sleep 600", timeout: 0.3 })).text,
      /^The command was stopped after its timeout of 0.3 s/,
    );
    assert.equal((await plain.useTool({ command: "sleep 600 & echo done" })).text, "done");
  } finally {
    plain.remove();
  }
});

test("Bash rejects commands if there is no sandbox", async () => {
  const nowhere = createShellWorkspace({ path: "/nonexistent" });
  try {
    const result = await nowhere.useTool({ command: "echo x > x" });
    assert.match(
      result.text,
      /^Cannot run commands: the sandbox could not be started; the operator must install bubblewrap/,
    );
    assert.equal(result.failed, true);
    assert.deepEqual(readdirSync(nowhere.root), []);
  } finally {
    nowhere.remove();
  }
});

test("Bash rejects commands if the sandbox does not work", async () => {
  const broken = createShellWorkspace();
  writeFileSync(
    join(broken.outside, "bwrap"),
    "#!/bin/sh\necho 'No permissions to create a new namespace' >&2\nexit 1\n",
    { mode: 0o755 },
  );
  const refused = createShellWorkspace({ path: broken.outside, root: broken.root });
  try {
    const result = await refused.useTool({ command: "echo x > x" });
    assert.match(
      result.text,
      /^Cannot run commands: the sandbox does not work on this machine; .*user namespaces/,
    );
    assert.deepEqual(readdirSync(refused.root), []);
  } finally {
    broken.remove();
    refused.remove();
  }
});
