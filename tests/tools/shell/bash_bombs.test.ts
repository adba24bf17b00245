import assert from "node:assert/strict";
import { after, test } from "node:test";
import { createShellWorkspace, processesWith, whyNoSandbox } from "./shell_workspace.ts";

const skip = await whyNoSandbox();
if (skip !== undefined) console.log(`what Bash leaves and takes: skipped, for ${skip}`);

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

const BOMBS: Record<string, [command: string, told: RegExp]> = {
  // Both end by themselves, at some two thousand processes: a guard that fails must not take the machine along.
  "a fork bomb": [
    "bomb() { (($1 > 0)) && { bomb $(($1 - 1)) & bomb $(($1 - 1)) & }; sleep 100; }; bomb 10",
    /more than 200 processes/,
  ],
  "a fork bomb that hides": [
    "for i in {1..2000}; do setsid sleep 100 & done; wait",
    /more than 200 processes|Resource temporarily/,
  ],
  "a process that takes memory": [`perl -e 'push @x, "x" x 1e7 while 1'`, /Out of memory|more than 128 MiB/],
  "processes that take memory": [
    "for i in {1..20}; do perl -e '$x = \"x\" x 3e7; sleep 100' & done; wait",
    /more than 128 MiB/,
  ],
  "a file without end": ["cat /dev/zero > big", /File too large|File size limit|more than 64 MiB/],
  "files without end": [
    "for i in {1..100}; do head -c 4000000 /dev/zero > big$i; done; sleep 100",
    /more than 64 MiB/,
  ],
  "a full /tmp": ["cat /dev/zero > /tmp/x", /No space left/],
  "a full /dev/shm": ["cat /dev/zero > /dev/shm/x", /No space left/],
  "a full root": ["cat /dev/zero > /x", /Read-only/],
  "a full /dev": ["mkdir /dev/x", /Read-only/],
};

for (const [what, [command, told]] of Object.entries(BOMBS)) {
  test(`Bash ends ${what}`, { skip }, async () => {
    const MiB = 2 ** 20;
    const small = createShellWorkspace({
      limits: {
        defaultSeconds: 30,
        processes: 200,
        memoryBytes: 128 * MiB,
        diskBytes: 64 * MiB,
        tmpBytes: 8 * MiB,
      },
    });
    try {
      const { endedBy: by, code, stderr } = await small.run(command);
      assert.equal(by, "exit");
      assert.notEqual(code, 0);
      assert.match(stderr, told);
    } finally {
      small.remove();
    }
  });
}
