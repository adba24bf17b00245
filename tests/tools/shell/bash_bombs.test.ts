import assert from "node:assert/strict";
import process from "node:process";
import { after, test } from "node:test";
import type { ShellLimits } from "../../../tools/policy/shell.ts";
import { createShellWorkspace, processesWith, whyNoSandbox } from "./shell_workspace.ts";

const skip = await whyNoSandbox();
if (skip !== undefined) console.log(`limits of Bash: skipped: ${skip}`);

const workspace = createShellWorkspace();
after(() => workspace.remove());

test("Bash leaves no process of a command running", { skip }, async () => {
  const mark = `orphan-${crypto.randomUUID()}`;
  const sleep = `bash -c 'exec -a ${mark} sleep 1000'`;
  const started = [
    `${sleep} &`,
    `nohup ${sleep} & disown`,
    `setsid ${sleep} &`,
    `(setsid ${sleep} &) &`,
    `setsid setsid nohup ${sleep} </dev/null >/dev/null 2>&1 &`,
    `trap '' TERM HUP INT; ${sleep} &`,
    `coproc ${sleep}`,
    `perl -e 'if (!fork) { if (!fork) { exec "bash", "-c", "exec -a ${mark} sleep 1000" } }' &`,
  ];
  for (const end of ["exit 0", "kill -9 $$", "kill -9 -1", "sleep 100", "yes"]) {
    const { code } = await workspace.run(
      `${started.join("\n")}\nsleep 0.2; ps -ef | grep -c ${mark}; ${end}`,
      {
        seconds: 1,
      },
    );
    assert.equal(code, end === "exit 0" ? 0 : 137, end);
    assert.deepEqual(processesWith(mark), [], end);
  }
});

const MiB = 2 ** 20;

/** A limit for each kind of bomb. The others are the defaults: disk and memory are shared with other tests. */
const PROCESSES = { processes: 200 };
const MEMORY = { memoryBytes: 128 * MiB };
const DISK = { diskBytes: 64 * MiB };
const FILES = { inodes: 30_000 };
const SCRATCH = { tmpBytes: 8 * MiB };

const MEMFD = numberOf(319, 279);

const BOMBS: Record<string, [command: string, limits: Partial<ShellLimits>, message: RegExp]> = {
  // Both stop at about 2,000 processes, so that the machine survives if the limit fails.
  "a fork bomb": [
    "bomb() { (($1 > 0)) && { bomb $(($1 - 1)) & bomb $(($1 - 1)) & }; sleep 100; }; bomb 10",
    PROCESSES,
    /more than 200 processes/,
  ],
  "a fork bomb that hides": [
    "for i in {1..2000}; do setsid sleep 100 & done; wait",
    PROCESSES,
    /more than 200 processes|Resource temporarily/,
  ],
  "a process that allocates memory": [
    `perl -e 'push @x, "x" x 1e7 while 1'`,
    MEMORY,
    /Out of memory|more than 128 MiB of memory/,
  ],
  "processes that allocate memory": [
    "for i in {1..20}; do perl -e '$x = \"x\" x 3e7; sleep 100' & done; wait",
    MEMORY,
    /more than 128 MiB of memory/,
  ],
  "shared memory that no process has mapped": [
    `perl -e 'for (1..20) { $id = shmget(0, 2e7, 01600); shmwrite($id, "x" x 2e7, 0, 2e7) } sleep 100'`,
    MEMORY,
    /more than 128 MiB of memory/,
  ],
  "shared memory in files without a name": [
    `perl -e '$n = "x"; for (1..20) { open $f[$_], ">&=", syscall(${MEMFD}, $n, 0); print {$f[$_]} "x" x 2e7 } sleep 100'`,
    MEMORY,
    /more than 128 MiB of memory/,
  ],
  "a file without end": [
    "cat /dev/zero > big",
    DISK,
    /File too large|File size limit|more than 64 MiB/,
  ],
  "files without end": [
    "for i in {1..100}; do head -c 4000000 /dev/zero > big$i; done; sleep 100",
    DISK,
    /more than 64 MiB/,
  ],
  "files of processes that have ended": [
    `perl -e '$SIG{CHLD} = "IGNORE"; for (1..100) { next if fork; open F, ">f$_"; print F "x" x 1e5 for 1..40; exit } sleep 100'`,
    DISK,
    /more than 64 MiB/,
  ],
  "space that is taken without a write": ["fallocate -l 10G big", {}, /not supported/],
  "too many files": [
    `perl -e 'for (1..100000) { open F, ">n$_" or die } sleep 100'`,
    FILES,
    /more than 30000 files/,
  ],
  "a full /tmp": ["cat /dev/zero > /tmp/x", SCRATCH, /No space left/],
  "a full /dev/shm": ["cat /dev/zero > /dev/shm/x", SCRATCH, /No space left/],
  "a full root": ["cat /dev/zero > /x", {}, /Read-only/],
  "a full /dev": ["mkdir /dev/x", {}, /Read-only/],
};

for (const [what, [command, limits, message]] of Object.entries(BOMBS)) {
  test(`Bash ends ${what}`, { skip, timeout: 120_000 }, async () => {
    const small = createShellWorkspace({ limits: { seconds: 30, ...limits } });
    try {
      const { endedBy: by, code, stderr } = await small.run(command);
      assert.equal(by, "exit");
      assert.notEqual(code, 0);
      assert.match(stderr, message);
    } finally {
      small.remove();
    }
  });
}

/** Returns the number of a system call on this processor. */
function numberOf(x64: number, arm64: number): number {
  return process.arch === "arm64" ? arm64 : x64;
}
