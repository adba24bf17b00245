/** Supported processors, named as in Node.js. */
type Processor = "x64" | "arm64";

/** Architecture constants of the kernel, from `linux/audit.h`. */
const AUDIT_ARCHITECTURES: Record<Processor, number> = { x64: 0xc000003e, arm64: 0xc00000b7 };
/** Numbers of the system calls, from `asm/unistd.h`. */
const SYSCALLS: Record<Processor, { clone: number; clone3: number; ioctl: number; socket: number }> = {
  x64: { clone: 56, clone3: 435, ioctl: 16, socket: 41 },
  arm64: { clone: 220, clone3: 435, ioctl: 29, socket: 198 },
};

/**
 * System calls that set a file's mode. `mode` is the index of that argument. `flags` is the index of the flags, for
 * calls that create a file only with certain flags.
 */
const MODE_SYSCALLS: readonly { x64?: number; arm64?: number; mode: number; flags?: number }[] = [
  { x64: 90, mode: 1 }, // chmod
  { x64: 91, arm64: 52, mode: 1 }, // fchmod
  { x64: 268, arm64: 53, mode: 2 }, // fchmodat
  { x64: 452, arm64: 452, mode: 2 }, // fchmodat2
  { x64: 85, mode: 1 }, // creat
  { x64: 2, mode: 2, flags: 1 }, // open
  { x64: 257, arm64: 56, mode: 3, flags: 2 }, // openat
  { x64: 133, mode: 1 }, // mknod
  { x64: 259, arm64: 33, mode: 2 }, // mknodat
];
const OPENAT2 = 437;

/**
 * System calls that no ordinary command makes. They reach resources that no namespace isolates, or large parts of the
 * kernel.
 */
const REFUSED_SYSCALLS: Record<string, readonly [x64: number, arm64: number]> = {
  // Keyrings are not isolated by namespaces: the keys of the gateway's session would be accessible.
  add_key: [248, 217],
  request_key: [249, 218],
  keyctl: [250, 219],
  // New namespaces and mounts could rearrange the read-only mounts.
  mount: [165, 40],
  umount2: [166, 39],
  pivot_root: [155, 41],
  chroot: [161, 51],
  open_tree: [428, 428],
  move_mount: [429, 429],
  fsopen: [430, 430],
  fsconfig: [431, 431],
  fsmount: [432, 432],
  fspick: [433, 433],
  mount_setattr: [442, 442],
  setns: [308, 268],
  unshare: [272, 97],
  // The parts of the kernel that most sandbox escapes used.
  bpf: [321, 280],
  io_uring_setup: [425, 425],
  io_uring_enter: [426, 426],
  io_uring_register: [427, 427],
  perf_event_open: [298, 241],
  userfaultfd: [323, 282],
  open_by_handle_at: [304, 265],
  kexec_load: [246, 104],
  // The kernel log reveals kernel addresses and other processes.
  syslog: [103, 116],
};

/**
 * Takes disk space without a write that could be counted. The C library writes zeros instead if the file system does
 * not support the call.
 */
const FALLOCATE: readonly [x64: number, arm64: number] = [285, 47];

const EPERM = 1;
const ENOSYS = 38;
const EOPNOTSUPP = 95;
const EAFNOSUPPORT = 97;
const SECCOMP_ALLOW = 0x7fff0000;
const SECCOMP_ERRNO = 0x00050000;

/** All `CLONE_NEW…` flags but `CLONE_NEWTIME`, whose bit has another meaning in `clone`. */
const NEW_NAMESPACES = 0x7e020000;
/** `S_ISUID` and `S_ISGID`. */
const SETID_BITS = 0o6000;
/** `O_CREAT`, and the bit that only `O_TMPFILE` has. */
const CREATE_FLAGS = 0o100 | 0o20000000;
const TERMINAL_INPUT = [0x5412, 0x541c]; // TIOCSTI, TIOCLINUX
const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const AF_NETLINK = 16;

/** Offsets in `struct seccomp_data`. Only the low 32 bits of an argument are checked: the kernel reads no more. */
const NUMBER_OFFSET = 0;
const ARCHITECTURE_OFFSET = 4;
const ARGUMENT_OFFSETS = [16, 24, 32, 40];

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, value: number];

/**
 * Returns a system call filter in the format of `bwrap --seccomp`, or undefined for an unsupported processor.
 *
 * Only internet, netlink and Unix sockets are allowed. Other families, such as those of virtual machines, are not
 * isolated by network namespaces. With `network`, Unix sockets are rejected too, because the machine's abstract sockets
 * would be reachable.
 */
export function createSyscallFilter(
  processor: string,
  { network }: { network: boolean },
): Uint8Array | undefined {
  if (processor !== "x64" && processor !== "arm64") return undefined;
  const { clone, clone3, ioctl, socket } = SYSCALLS[processor];
  const families = network ? [AF_INET, AF_INET6, AF_NETLINK] : [AF_UNIX, AF_INET, AF_INET6, AF_NETLINK];
  return encodeProgram([
    load(ARCHITECTURE_OFFSET),
    ...unlessEqual(AUDIT_ARCHITECTURES[processor], [returnErrno(ENOSYS)]),
    load(NUMBER_OFFSET),
    // The x32 numbers of x64 (bit 30 set) would bypass the checks below.
    [0x35, 0, 1, 0x40000000],
    returnErrno(ENOSYS),
    ...Object.values(REFUSED_SYSCALLS).flatMap(([x64, arm64]) =>
      ifEqual(processor === "x64" ? x64 : arm64, [returnErrno(EPERM)])
    ),
    ...ifEqual(processor === "x64" ? FALLOCATE[0] : FALLOCATE[1], [returnErrno(EOPNOTSUPP)]),
    // clone3 and openat2 pass their flags in memory, which a filter cannot read. Programs fall back on ENOSYS.
    ...ifEqual(clone3, [returnErrno(ENOSYS)]),
    ...ifEqual(clone, [
      load(ARGUMENT_OFFSETS[0]),
      ...ifAnyBit(NEW_NAMESPACES, [returnErrno(EPERM)]),
      returnAllow(),
    ]),
    // Another user of the machine could run a setuid or setgid file of the workspace.
    ...MODE_SYSCALLS.flatMap(({ [processor]: number, mode, flags }) => {
      if (number === undefined) return [];
      const check = [load(ARGUMENT_OFFSETS[mode]), ...ifAnyBit(SETID_BITS, [returnErrno(EPERM)])];
      const whole = flags === undefined
        ? check
        : [load(ARGUMENT_OFFSETS[flags]), ...ifAnyBit(CREATE_FLAGS, check)];
      return ifEqual(number, [...whole, returnAllow()]);
    }),
    ...ifEqual(OPENAT2, [returnErrno(ENOSYS)]),
    ...ifEqual(ioctl, [
      load(ARGUMENT_OFFSETS[1]),
      ...TERMINAL_INPUT.flatMap((request) => ifEqual(request, [returnErrno(EPERM)])),
      returnAllow(),
    ]),
    ...ifEqual(socket, [
      load(ARGUMENT_OFFSETS[0]),
      ...families.flatMap((family) => ifEqual(family, [returnAllow()])),
      returnErrno(EAFNOSUPPORT),
    ]),
    returnAllow(),
  ]);
}

function load(offset = 0): Instruction {
  return [0x20, 0, 0, offset];
}

function returnAllow(): Instruction {
  return [0x06, 0, 0, SECCOMP_ALLOW];
}

function returnErrno(error: number): Instruction {
  return [0x06, 0, 0, SECCOMP_ERRNO | error];
}

/** Executes `then` if the loaded value equals `value`. */
function ifEqual(value: number, then: Instruction[]): Instruction[] {
  return [[0x15, 0, then.length, value], ...then];
}

/** Executes `then` if the loaded value has any of the bits. */
function ifAnyBit(bits: number, then: Instruction[]): Instruction[] {
  return [[0x45, 0, then.length, bits], ...then];
}

/** Executes `then` if the loaded value differs from `value`. */
function unlessEqual(value: number, then: Instruction[]): Instruction[] {
  return [[0x15, then.length, 0, value], ...then];
}

/** Encodes instructions as little-endian `struct sock_filter`. */
function encodeProgram(program: readonly Instruction[]): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(program.length * 8));
  for (const [at, [code, ifTrue, ifFalse, value]] of program.entries()) {
    bytes.setUint16(at * 8, code, true);
    bytes.setUint8(at * 8 + 2, ifTrue);
    bytes.setUint8(at * 8 + 3, ifFalse);
    bytes.setUint32(at * 8 + 4, value, true);
  }
  return new Uint8Array(bytes.buffer);
}
