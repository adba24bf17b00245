import assert from "node:assert/strict";
import process from "node:process";
import { after, test } from "node:test";
import { createShellWorkspace, whyNoSandbox } from "./shell_workspace.ts";

const skip = await whyNoSandbox();
if (skip !== undefined) console.log(`ways out of the sandbox: skipped: ${skip}`);

const workspace = createShellWorkspace();
after(() => workspace.remove());

/** Known ways out of sandboxes, each with the expected output. */
const WAYS_OUT: Record<string, [command: string, expected: RegExp]> = {
  "a helper for core dumps": ["(: >> /proc/sys/kernel/core_pattern)", /Read-only|Permission denied/],
  "a helper for modules": [
    "(: >> /proc/sys/kernel/modprobe); (: >> /proc/sys/kernel/hotplug)",
    /Read-only|Permission denied|No such file/,
  ],
  "keys of SysRq": ["(: >> /proc/sysrq-trigger)", /Read-only|Permission denied|No such file/],
  "anything of /proc that can be written": [
    "find /proc -maxdepth 4 -writable -type f 2>/dev/null | head -3 | grep . || echo none",
    /^none$/m,
  ],
  "the guard's memory": ["(: < /proc/1/mem) || (: < /proc/1/environ)", /Permission denied/],
  "the guard's root": ["ls /proc/1/root/ /proc/1/cwd/ /proc/1/fd/", /Permission denied/],
  "a signal to the guard": ["kill -9 1; kill -STOP 1; sleep 0.1; echo alive", /alive/],
  "privilege": [
    "grep -h ^Cap /proc/self/status | grep -v 0000000000000000; grep NoNewPrivs /proc/self/status",
    /^NoNewPrivs:\s+1$/,
  ],
  "programs that run as root": ["find /usr/bin -perm -4000 -exec {} --version \\; ; id -u", /1000/],
  "further namespaces": [
    "unshare -Ur true; unshare -m true; nsenter -t 1 -m true",
    /Operation not permitted/,
  ],
  "mounts": [
    `umount .vscode; umount /proc; mount --bind /usr /tmp; mount -t tmpfs x /tmp`,
    /permi|superuser|denied/,
  ],
  "a mount made writable": ["mount -o remount,rw,bind /usr; touch /usr/x", /Read-only/],
  "files that run as their owner": [
    "cp /usr/bin/id id; chmod u+s id; chmod 2755 id; perl -e 'umask 0; sysopen(F, \"own\", 0101, 04755)'; ls -l id own; rm -f id own",
    /^(?=[^]*not permitted[^]*not permitted)[^]*-rwx[^s]* .* id\n/,
  ],
  "the kernel's keys": [
    `perl -e 'syscall(${numberOf(250, 219)}, 0, -3, 0) < 0 and print $!'`,
    /^Operation not permitted$/,
  ],
  "io_uring": [
    `perl -e '$x = "\\0" x 200; syscall(425, 1, $x) < 0 and print $!'`,
    /^Operation not permitted$/,
  ],
  "sockets of virtual machines": [
    "perl -e 'socket(S, 40, 1, 0) or print $!'",
    /^Address family not supported/,
  ],
  "what is typed into a terminal": [
    `perl -e 'open T, "+<", "/dev/ptmx"; ioctl(T, 0x5412, $x = "x") or print $!'`,
    /^Operation not permitted$/,
  ],
  "a trace of the guard": [
    `perl -e 'syscall(${numberOf(101, 117)}, 16, 1, 0, 0) < 0 and print $!'`,
    /^Operation not permitted$/,
  ],
  "a second sandbox": [
    "bwrap --unshare-user --dev-bind / / true",
    /not permitted|No permissions/,
  ],
  "the machine's devices": [
    "ls /dev /dev/pts | grep -E '^(sd|vd|nvme|mem|kmsg|kvm|fuse|loop|console)|^[0-9]' || echo none",
    /^none$/,
  ],
  "what is not mounted": [
    "ls -d /sys /run /var /home /root /boot /etc/shadow 2>&1 | grep -v 'No such' || echo none",
    /^none$/,
  ],
  "control groups": ["ls /sys/fs/cgroup; cat /proc/self/cgroup", /0::\/$|No such file/],
  "files left open": ["ls /proc/self/fd | tr '\\n' ' '", /^0 1 2 3$/],
  "a terminal": ["exec 3<>/dev/tty", /No such device/],
  "the network's devices": [
    "tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' \\n'",
    /^lo$/m,
  ],
  "the hosts of names": ["getent hosts example.com; cat /etc/resolv.conf /etc/hosts", /No such file/],
  "the name of the machine": ["cat /proc/sys/kernel/hostname", /^workspace$/],
  "shared memory of the machine": [
    "ipcs -m 2>/dev/null | grep -c 0x || true; ls /dev/shm /dev/mqueue",
    /No such file/,
  ],
};

for (const [what, [command, expected]] of Object.entries(WAYS_OUT)) {
  test(`Bash has no way out of its sandbox by ${what}`, { skip }, async () => {
    const { stdout, stderr } = await workspace.run(command, { seconds: 10 });
    assert.match((stdout + stderr).trimEnd(), expected);
  });
}

/** Returns the number of a system call on this processor. */
function numberOf(x64: number, arm64: number): number {
  return process.arch === "arm64" ? arm64 : x64;
}
