import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { chownSync, existsSync, readdirSync } from "node:fs";
import { dirname } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createShellWorkspace, processesWith, whyNoSandbox } from "./shell_workspace.ts";

const skip = await whyNoSandbox();
if (skip !== undefined) console.log(`Bash in a separate program: skipped: ${skip}`);

const PROGRAM = fileURLToPath(new URL("shell_program.ts", import.meta.url));
const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
/** A user without rights. */
const OTHER_USER = 65534;
const DENO = `${ROOT}node_modules/.bin/deno`;

test("Bash ends its commands when the gateway is killed", { skip, timeout: 60_000 }, async () => {
  const workspace = createShellWorkspace();
  const mark = `orphan-${crypto.randomUUID()}`;
  const command = `setsid bash -c 'exec -a ${mark} sleep 1000' & bash -c 'exec -a ${mark} sleep 1000'`;
  const gateway = spawn(process.execPath, [...toRun(), PROGRAM, workspace.root, command], {
    cwd: ROOT,
    stdio: "ignore",
  });
  try {
    while (processesWith(mark).length < 2) await setImmediate();
    gateway.kill("SIGKILL");
    while (processesWith(mark).length > 0) await setImmediate();
  } finally {
    gateway.kill("SIGKILL");
    workspace.remove();
  }
});

test(
  "Bash runs on Deno with few permissions",
  { skip: skip ?? (existsSync(DENO) ? false : "no deno") },
  () => {
    const workspace = createShellWorkspace();
    const permissions = [
      "--allow-run=bwrap",
      `--allow-read=${workspace.root}`,
      `--allow-write=${workspace.root}`,
      "--allow-env=NODE_V8_COVERAGE",
    ];
    try {
      const args = [
        "run",
        "--no-prompt",
        ...permissions,
        PROGRAM,
        workspace.root,
        "echo x > y; cat y; env | grep -c DENO; echo z >&2",
      ];
      const { stdout, stderr } = spawnSync(DENO, args, {
        cwd: ROOT,
        encoding: "utf8",
        env: { ...process.env, DENO_KEY: "x" },
      });
      assert.equal(
        stdout,
        JSON.stringify({ endedBy: "exit", code: 0, stdout: "x\n0\n", stderr: "z\n", setAside: [] }),
        stderr,
      );
      assert.deepEqual(readdirSync(workspace.root), ["y"]);
    } finally {
      workspace.remove();
    }
  },
);

test(
  "Bash leaves no file in folders from which it removed permissions, as a user other than root",
  {
    skip: skip ?? missingOtherUser(),
  },
  () => {
    const workspace = createShellWorkspace();
    try {
      const command =
        "mkdir sub searchable listed closed; for folder in *; do echo evil > $folder/.envrc; done; " +
        "chmod 111 searchable; chmod 444 listed; chmod 000 closed; cd sub; chmod 000 ..; sleep 1";
      const user = process.getuid?.() === 0 ? { uid: OTHER_USER, gid: OTHER_USER } : {};
      if (user.uid !== undefined) {
        for (const path of [dirname(workspace.root), workspace.root]) chownSync(path, user.uid, user.gid);
      }
      const { stdout, stderr } = spawnSync(process.execPath, [...toRun(), PROGRAM, workspace.root, command], {
        cwd: ROOT,
        encoding: "utf8",
        ...user,
      });
      const ended: { stderr: string; setAside: { path: string }[] } = JSON.parse(stdout || stderr);
      assert.deepEqual(
        ended.setAside.map(({ path }) => path).sort(),
        ["closed/.envrc", "listed/.envrc", "searchable/.envrc", "sub/.envrc"],
      );
      // The disk usage could be measured until the end.
      assert.equal(ended.stderr, "");
    } finally {
      workspace.remove();
    }
  },
);

/** Returns the reason why no other user can run the program; false if one can. */
function missingOtherUser(): string | false {
  if ("Deno" in globalThis || "Bun" in globalThis) return "only Node.js runs as another user";
  if (process.getuid?.() !== 0) return false;
  const { status } = spawnSync(process.execPath, [
    "--eval",
    `require("node:fs").readFileSync(${JSON.stringify(PROGRAM)})`,
  ], { uid: OTHER_USER, gid: OTHER_USER });
  return status === 0 ? false : `user ${OTHER_USER} cannot run ${process.execPath} or read ${ROOT}`;
}

/** Returns the arguments with which this runtime runs a file of TypeScript. */
function toRun(): string[] {
  if ("Deno" in globalThis) return ["run", "--no-prompt", "--allow-all"];
  if ("Bun" in globalThis) return ["run"];
  return ["--import", "tsx"];
}
