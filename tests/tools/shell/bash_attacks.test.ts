import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { PLACEHOLDERS, PROTECTED_IN_GIT } from "../../../tools/policy/protected.ts";
import { injections, reads, type Target, writes } from "./shell_attacks.ts";
import { createShellWorkspace, whyNoSandbox } from "./shell_workspace.ts";

const skip = await whyNoSandbox();
if (skip !== undefined) console.log(`attacks on Bash: skipped: ${skip}`);

const SECRET = `secret-${crypto.randomUUID()}`;
process.env.GATEWAY_SECRET = SECRET;

const called: string[] = [];
const tcp = createServer((socket) => {
  called.push("tcp");
  socket.end(`HTTP/1.1 200 OK\r\ncontent-length: ${SECRET.length}\r\n\r\n${SECRET}`);
  socket.on("error", () => {});
}).listen(0);
const udp = createSocket("udp4", () => called.push("udp"));
await Promise.all([
  once(tcp, "listening"),
  new Promise<void>((resolve) => udp.bind(0, "127.0.0.1", resolve)),
]);

const workspace = createShellWorkspace();
const { root, outside } = workspace;
after(() => {
  tcp.close();
  udp.close();
  workspace.remove();
});

const TARGET: Target = {
  file: join(outside, "new"),
  canary: join(outside, "canary.txt"),
  outside,
  tcp: portOf(tcp.address()),
  udp: portOf(udp.address()),
  pid: process.pid,
};

const TABLES: Record<string, string[]> = {
  "write outside": writes(TARGET),
  "read or call outside": reads(TARGET),
  "hide a command in another": injections(TARGET),
};

for (const [does, attacks] of Object.entries(TABLES)) {
  test(`Bash cannot be made to ${does}, in ${attacks.length} ways`, { skip }, async () => {
    resetOutside();
    const before = snapshot(outside);
    const output = await runAll(attacks);
    assert.deepEqual(snapshot(outside), before);
    assert.deepEqual(called, []);
    assert.ok(
      !output.includes(SECRET),
      output.slice(Math.max(0, output.indexOf(SECRET) - 500)).slice(0, 600),
    );
    assert.equal(output.split("\nattack ").length - 1, attacks.length);
  });
}

test("most of these attacks succeed if Bash has no sandbox", { skip, timeout: 120_000 }, async () => {
  const plain = createShellWorkspace({ root, sandbox: "off" });
  const failed: string[] = [];
  const attacks = writes(TARGET);
  for (const attack of attacks) {
    resetOutside();
    const before = JSON.stringify(snapshot(outside));
    await plain.run(attack, { seconds: 5 });
    if (JSON.stringify(snapshot(outside)) === before) failed.push(attack);
  }
  plain.remove();
  console.log(`of ${attacks.length} attacks ${attacks.length - failed.length} get outside without a sandbox`);
  assert.ok(failed.length < attacks.length * 0.2, failed.join("\n"));
});

test(
  "Bash does not change protected files",
  { skip, timeout: 120_000 },
  async () => {
    for (const nested of ["", "sub/project"]) {
      const guarded = createShellWorkspace();
      try {
        const top = join(guarded.root, nested);
        mkdirSync(join(top, ".git/objects"), { recursive: true });
        mkdirSync(join(top, ".git/refs"));
        writeFileSync(join(top, ".git/HEAD"), "ref: refs/heads/main\n");
        writeFileSync(join(top, ".git/config"), "[core]\n");
        if (nested !== "") { for (const name of PLACEHOLDERS) writeFileSync(join(top, name), "mine\n"); }
        const paths = [...PLACEHOLDERS, ...PROTECTED_IN_GIT.map((name) => `.git/${name}`)];
        const kept = () => snapshot(top).filter((line) => !/\.git\/(HEAD|objects|refs) /.test(line));
        const before = kept();
        const output = await guarded.run(
          paths.map((path) =>
            [
              `cd ${top}; touch ${path}; echo evil > ${path}; echo evil >> ${path}; mkdir -p ${path}; echo evil > ${path}/x`,
              `rm -rf ${path}; mv ${path} /tmp/moved; mv ${path} moved; ln -sf /tmp ${path}; ln -sfn /tmp ${path}`,
              `echo evil > evil; mv evil ${path}; mv -T evil ${path}; cp evil ${path}; ln -f evil ${path}; chmod 777 ${path}`,
              `mkdir evil.d; mv -T evil.d ${path}; ln ${path} linked && echo evil >> linked; truncate -s 1 ${path}`,
              "rm -rf evil evil.d moved linked",
            ].join("\n")
          ).join("\n") +
            `\nmv .git moved && mkdir -p .git/hooks && echo evil > .git/hooks/pre-commit; rm -rf .git/hooks; mv -T .git /tmp/g` +
            `\nperl -e 'rename(".git", "moved"); rename(".mcp.json", "x"); syscall(316, -100, ".git", -100, "evil", 2)'`,
        );
        assert.equal(output.endedBy, "exit");
        assert.deepEqual(kept(), before);
      } finally {
        guarded.remove();
      }
    }
  },
);

test("Bash cannot create a repository at the top of a workspace without one", { skip }, async () => {
  for (
    const attempt of [
      "git init",
      "mkdir -p .git/hooks",
      "echo 'gitdir: /tmp/x' > .git",
      "git clone -q /usr .",
      "ln -s /tmp .git",
    ]
  ) {
    await workspace.run(attempt);
    assert.equal(existsSync(join(root, ".git")), false, attempt);
  }
});

test("Bash with network access reaches no local socket, and without it no network", { skip }, async () => {
  const online = createShellWorkspace({ network: true });
  try {
    const { stdout } = await online.run(`exec 3<>/dev/tcp/127.0.0.1/${TARGET.tcp} && cat <&3`);
    assert.match(stdout, new RegExp(SECRET));
    called.length = 0;
    const { stderr } = await online.run("perl -MSocket -e 'socket(S, AF_UNIX, SOCK_STREAM, 0) or die $!'");
    assert.match(stderr, /Address family not supported/);
    assert.match(
      (await online.run(`cat ${TARGET.canary}; cat /etc/shadow /etc/ssl/private/*`)).stderr,
      /^(.*No such file.*\n){3}$/,
    );
  } finally {
    online.remove();
  }
});

/** Runs the attacks, 40 in each sandbox, and returns their output. */
async function runAll(attacks: readonly string[]): Promise<string> {
  const output: string[] = [];
  const large = createShellWorkspace({
    root,
    limits: { keptOutputChars: 10_000_000, memoryBytes: 4 * 2 ** 30 },
  });
  mkdirSync(join(root, "attacks"));
  for (let first = 0; first < attacks.length; first += 40) {
    for (const [at, attack] of attacks.slice(first, first + 40).entries()) {
      writeFileSync(join(root, "attacks", `${at}.sh`), attack);
    }
    const { stdout, endedBy: by } = await large.run(
      "for f in attacks/*.sh; do printf '\\nattack %s\\n' $f; timeout -k 1 5 bash $f </dev/null 2>&1; done",
    );
    assert.equal(by, "exit");
    output.push(stdout);
    rmSync(join(root, "attacks"), { recursive: true });
    mkdirSync(join(root, "attacks"));
  }
  rmSync(join(root, "attacks"), { recursive: true });
  large.remove();
  return output.join("");
}

/** Restores the folder outside of the workspace. */
function resetOutside(): void {
  rmSync(outside, { recursive: true, force: true });
  mkdirSync(outside);
  writeFileSync(TARGET.canary, `echo ${SECRET}\n`);
  chmodSync(TARGET.canary, 0o644);
}

/** Returns the entries of a folder with content, owner, permissions and time. */
function snapshot(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).sort().flatMap((name) => {
    const path = join(folder, name);
    const { mode, uid, nlink, mtimeMs } = lstatSync(path);
    if ((mode & 0o170000) === 0o040000) return [`${path} ${mode} ${uid}`, ...snapshot(path)];
    const content = (mode & 0o170000) === 0o100000 ? readFileSync(path, "utf8") : "";
    return [`${path} ${mode} ${uid} ${nlink} ${mtimeMs} ${content}`];
  });
}

function portOf(address: ReturnType<ReturnType<typeof createServer>["address"]>): number {
  assert.ok(typeof address === "object" && address !== null);
  return address.port;
}
