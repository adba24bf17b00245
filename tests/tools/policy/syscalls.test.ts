import assert from "node:assert/strict";
import { test } from "node:test";
import { createSyscallFilter } from "../../../tools/policy/syscalls.ts";

const ALLOWED = "allowed";

interface Call {
  number: number;
  args?: number[];
  architecture?: number;
}

const X64 = 0xc000003e;
const ARM64 = 0xc00000b7;

/** Returns the kernel's result for a call under a filter. Instructions: `linux/filter.h` and `seccomp(2)`. */
function answer(filter: Uint8Array, { number, args = [], architecture = X64 }: Call): string {
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(0, number, true);
  data.setUint32(4, architecture, true);
  for (const [at, arg] of args.entries()) data.setUint32(16 + 8 * at, arg, true);
  const program = new DataView(filter.buffer, filter.byteOffset, filter.length);
  let loaded = 0;
  for (let at = 0; at < filter.length / 8; at += 1) {
    const code = program.getUint16(at * 8, true);
    const value = program.getUint32(at * 8 + 4, true);
    const jump = (holds: boolean) => at += program.getUint8(at * 8 + (holds ? 2 : 3));
    switch (code) {
      case 0x20:
        loaded = data.getUint32(value, true);
        break;
      case 0x15:
        jump(loaded === value);
        break;
      case 0x35:
        jump(loaded >= value);
        break;
      case 0x45:
        jump((loaded & value) !== 0);
        break;
      case 0x06:
        return value === 0x7fff0000 ? ALLOWED : `error ${value - 0x50000}`;
      default:
        assert.fail(`no such instruction: ${code}`);
    }
  }
  assert.fail("the filter has no end");
}

const EPERM = "error 1";
const ENOSYS = "error 38";
const EOPNOTSUPP = "error 95";
const EAFNOSUPPORT = "error 97";
const SIGCHLD = 17;

const CALLS: Record<string, [x64: Call, arm64: Call, answer: string]> = {
  "read": [{ number: 0 }, { number: 63 }, ALLOWED],
  "write": [{ number: 1 }, { number: 64 }, ALLOWED],
  "execve": [{ number: 59 }, { number: 221 }, ALLOWED],
  "fork, by clone": [{ number: 56, args: [SIGCHLD] }, { number: 220, args: [SIGCHLD] }, ALLOWED],
  "a thread, by clone": [{ number: 56, args: [0x3d0f00] }, { number: 220, args: [0x3d0f00] }, ALLOWED],
  "clone with a user namespace": [
    { number: 56, args: [0x10000011] },
    { number: 220, args: [0x10000011] },
    EPERM,
  ],
  "clone with a mount namespace": [{ number: 56, args: [0x20011] }, { number: 220, args: [0x20011] }, EPERM],
  "clone3": [{ number: 435 }, { number: 435 }, ENOSYS],
  "unshare": [{ number: 272 }, { number: 97 }, EPERM],
  "setns": [{ number: 308 }, { number: 268 }, EPERM],
  "mount": [{ number: 165 }, { number: 40 }, EPERM],
  "umount2": [{ number: 166 }, { number: 39 }, EPERM],
  "keyctl": [{ number: 250 }, { number: 219 }, EPERM],
  "add_key": [{ number: 248 }, { number: 217 }, EPERM],
  "bpf": [{ number: 321 }, { number: 280 }, EPERM],
  "io_uring_setup": [{ number: 425 }, { number: 425 }, EPERM],
  "io_uring_enter": [{ number: 426 }, { number: 426 }, EPERM],
  "io_uring_register": [{ number: 427 }, { number: 427 }, EPERM],
  "ioctl that reads the size": [
    { number: 16, args: [0, 0x5413] },
    { number: 29, args: [0, 0x5413] },
    ALLOWED,
  ],
  "ioctl that types": [{ number: 16, args: [0, 0x5412] }, { number: 29, args: [0, 0x5412] }, EPERM],
  "ioctl that pastes": [{ number: 16, args: [0, 0x541c] }, { number: 29, args: [0, 0x541c] }, EPERM],
  "chmod": [{ number: 91, args: [3, 0o755] }, { number: 52, args: [3, 0o755] }, ALLOWED],
  "chmod that sets the user": [{ number: 91, args: [3, 0o4755] }, { number: 52, args: [3, 0o4755] }, EPERM],
  "chmod that sets the group": [
    { number: 268, args: [0, 0, 0o2755] },
    { number: 53, args: [0, 0, 0o2755] },
    EPERM,
  ],
  "fchmodat2 that sets the user": [
    { number: 452, args: [0, 0, 0o4755] },
    { number: 452, args: [0, 0, 0o4755] },
    EPERM,
  ],
  "an open that makes no file": [
    { number: 257, args: [0, 0, 2, 0o7777] },
    { number: 56, args: [0, 0, 2, 0o7777] },
    ALLOWED,
  ],
  "an open that makes a file": [
    { number: 257, args: [0, 0, 0o101, 0o644] },
    { number: 56, args: [0, 0, 0o101, 0o644] },
    ALLOWED,
  ],
  "an open that makes a file of another's": [
    { number: 257, args: [0, 0, 0o101, 0o4755] },
    { number: 56, args: [0, 0, 0o101, 0o4755] },
    EPERM,
  ],
  "a file without a name of another's": [
    { number: 257, args: [0, 0, 0o20200002, 0o4755] },
    { number: 56, args: [0, 0, 0o20200002, 0o4755] },
    EPERM,
  ],
  "mknod of another's": [
    { number: 259, args: [0, 0, 0o104755] },
    { number: 33, args: [0, 0, 0o104755] },
    EPERM,
  ],
  "fallocate": [{ number: 285 }, { number: 47 }, EOPNOTSUPP],
  "openat2": [{ number: 437 }, { number: 437 }, ENOSYS],
  "socketpair": [{ number: 53, args: [1] }, { number: 199, args: [1] }, ALLOWED],
  "socket of IPv4": [{ number: 41, args: [2] }, { number: 198, args: [2] }, ALLOWED],
  "socket of IPv6": [{ number: 41, args: [10] }, { number: 198, args: [10] }, ALLOWED],
  "socket of netlink": [{ number: 41, args: [16] }, { number: 198, args: [16] }, ALLOWED],
  "socket of a virtual machine": [{ number: 41, args: [40] }, { number: 198, args: [40] }, EAFNOSUPPORT],
  "socket of the kernel's ciphers": [{ number: 41, args: [38] }, { number: 198, args: [38] }, EAFNOSUPPORT],
  "socket of packets": [{ number: 41, args: [17] }, { number: 198, args: [17] }, EAFNOSUPPORT],
};

for (const [what, [x64, arm64, expected]] of Object.entries(CALLS)) {
  test(`createSyscallFilter() ${expected === ALLOWED ? "allows" : "rejects"} ${what}`, () => {
    for (const network of [true, false]) {
      assert.equal(answer(filterOf("x64", network), x64), expected);
      assert.equal(answer(filterOf("arm64", network), { ...arm64, architecture: ARM64 }), expected);
    }
  });
}

test("createSyscallFilter() allows local sockets without network access", () => {
  assert.equal(answer(filterOf("x64", false), { number: 41, args: [1] }), ALLOWED);
  assert.equal(answer(filterOf("x64", true), { number: 41, args: [1] }), EAFNOSUPPORT);
});

test("createSyscallFilter() rejects calls by the numbers of another architecture", () => {
  assert.equal(answer(filterOf("x64", false), { number: 1, architecture: 0x40000003 }), ENOSYS);
  assert.equal(answer(filterOf("x64", false), { number: 0x40000000 + 1 }), ENOSYS);
  assert.equal(answer(filterOf("arm64", false), { number: 1, architecture: X64 }), ENOSYS);
});

test("createSyscallFilter() supports no other processor", () => {
  assert.equal(createSyscallFilter("riscv64", { network: false }), undefined);
});

function filterOf(processor: string, network: boolean): Uint8Array {
  const filter = createSyscallFilter(processor, { network });
  assert.ok(filter);
  return filter;
}
