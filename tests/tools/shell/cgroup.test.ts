import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { test } from "node:test";
import { type CgroupFiles, findCgroup } from "../../../tools/host/cgroup.ts";
import { createShell } from "../../../tools/host/shell.ts";
import { SHELL_LIMITS } from "../../../tools/policy/shell.ts";
import { createShellWorkspace, whyNoSandbox } from "./shell_workspace.ts";

const skip = await whyNoSandbox();

/** The files of control groups, in memory. */
interface FakeGroups extends CgroupFiles {
  files: Map<string, string>;
}

/** Creates control groups. The process is in `own`; groups can be created in the folders `writable`. */
function createGroups(own: string, { writable, controllers = "memory pids", lacks = [] }: {
  writable: string[];
  controllers?: string;
  lacks?: string[];
}): FakeGroups {
  const files = new Map<string, string>([["/proc/self/cgroup", `4:memory:/x\n0::${own}\n`]]);
  for (const folder of writable) files.set(join(folder, "cgroup.subtree_control"), "cpu");
  const fail = (code: string) => Promise.reject(Object.assign(new Error(code), { code }));
  return {
    files,
    read: (path) => files.has(path) ? Promise.resolve(files.get(path) ?? "") : fail("ENOENT"),
    write(path, text) {
      if (!files.has(path)) return fail("ENOENT");
      if (basename(path) === "cgroup.subtree_control") {
        const known = text.split(" ").every((name) => controllers.split(" ").includes(name.slice(1)));
        if (!known) return fail("EINVAL");
        text = `cpu ${controllers}`;
      }
      files.set(path, text);
      return Promise.resolve();
    },
    mkdir(path) {
      if (!writable.includes(dirname(path))) return fail("EACCES");
      const enabled = files.get(join(dirname(path), "cgroup.subtree_control")) ?? "";
      const names = ["cgroup.procs", "cgroup.kill"];
      if (enabled.includes("memory")) names.push("memory.max", "memory.swap.max");
      if (enabled.includes("pids")) names.push("pids.max");
      for (const name of names.filter((one) => !lacks.includes(one))) files.set(join(path, name), "");
      return Promise.resolve();
    },
    rmdir(path) {
      for (const name of [...files.keys()].filter((file) => dirname(file) === path)) files.delete(name);
      return Promise.resolve();
    },
  };
}

const SERVICE = "/sys/fs/cgroup/system.slice/gateway.service";

test("findCgroup() creates a group with limits for each command, beside that of the gateway", async () => {
  for (const lacks of [[], ["memory.swap.max", "cgroup.kill"]]) {
    const groups = createGroups("/system.slice/gateway.service/gateway", { writable: [SERVICE], lacks });
    const create = await findCgroup(SHELL_LIMITS, groups);
    assert.ok(create !== undefined);
    const [one, two] = [await create(), await create()];
    assert.notEqual(one.procs, two.procs);
    assert.equal(dirname(dirname(one.procs)), SERVICE);
    const limit = (name: string) => groups.files.get(join(dirname(one.procs), name));
    assert.equal(limit("memory.max"), String(2560 * 2 ** 20));
    assert.equal(limit("pids.max"), String(1040));
    assert.equal(limit("memory.swap.max"), lacks.length > 0 ? undefined : "0");
    await Promise.all([one.remove(), two.remove()]);
    assert.deepEqual([...groups.files.keys()].filter((file) => file.includes("command-")), []);
  }
});

/** Environments in which no group can be created. */
const NOWHERE: Record<string, FakeGroups> = {
  "a machine without the unified hierarchy": createGroups("", { writable: [] }),
  "the root of a container": createGroups("/", { writable: ["/sys/fs/cgroup"] }),
  "a service in a slice": createGroups("/system.slice/gateway.service", {
    writable: ["/sys/fs/cgroup/system.slice"],
  }),
  "a group that is not delegated": createGroups("/a/b", { writable: [] }),
  "a group without controllers": createGroups("/a/b", {
    writable: ["/sys/fs/cgroup/a"],
    controllers: "hugetlb",
  }),
};

for (const [where, groups] of Object.entries(NOWHERE)) {
  test(`findCgroup() returns undefined for ${where}`, async () => {
    assert.equal(await findCgroup(SHELL_LIMITS, groups), undefined);
    assert.deepEqual([...groups.files.keys()].filter((file) => file.includes("command-")), []);
  });
}

test("Bash runs a command only within its control group", { skip }, async () => {
  const workspace = createShellWorkspace();
  try {
    const procs = join(workspace.outside, "cgroup.procs");
    writeFileSync(procs, "");
    const removed: string[] = [];
    const open = (path: string) =>
      createShell(workspace.policy, {
        cgroups: () =>
          Promise.resolve(() =>
            Promise.resolve({ procs: path, remove: () => Promise.resolve(void removed.push(path)) })
          ),
      })({ signal: new AbortController().signal });
    const { stdout, code } = await open(procs).run("echo ran; exit 7");
    assert.deepEqual([stdout, code], ["ran\n", 7]);
    assert.match(readFileSync(procs, "utf8"), /^\d+\n$/);
    const gone = join(workspace.outside, "none/cgroup.procs");
    const refused = await open(gone).run("echo ran");
    assert.deepEqual([refused.stdout, refused.code], ["", 1]);
    assert.deepEqual(removed, [procs, gone]);
  } finally {
    workspace.remove();
  }
});
