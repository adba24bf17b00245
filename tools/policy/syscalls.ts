/** The processors whose system calls are known here, as Node names them. */
type Processor = "x64" | "arm64";

/** The architecture in the kernel's words (`linux/audit.h`), and the numbers of the calls, from `asm/unistd.h`. */
const AUDIT_ARCHITECTURES: Record<Processor, number> = { x64: 0xc000003e, arm64: 0xc00000b7 };
const SYSCALLS: Record<Processor, { clone: number; clone3: number; ioctl: number; socket: number }> = {
  x64: { clone: 56, clone3: 435, ioctl: 16, socket: 41 },
  arm64: { clone: 220, clone3: 435, ioctl: 29, socket: 198 },
};

/** Calls that give a file its mode: which argument that is, and which holds the flags where only some make a file. */
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

/** Calls that no ordinary command makes and that reach what no namespace divides, or a great deal of the kernel. */
const REFUSED_SYSCALLS: Record<string, readonly [x64: number, arm64: number]> = {
  // Keys are the kernel's own: those of the gateway's session would be within reach.
  add_key: [248, 217],
  request_key: [249, 218],
  keyctl: [250, 219],
  // Further namespaces and mounts: what is read-only here must not be rearranged there.
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
  // The parts of the kernel that most ways out went through.
  bpf: [321, 280],
  io_uring_setup: [425, 425],
  io_uring_enter: [426, 426],
  io_uring_register: [427, 427],
  perf_event_open: [298, 241],
  userfaultfd: [323, 282],
  open_by_handle_at: [304, 265],
  kexec_load: [246, 104],
  // The kernel's log tells where it lies in memory, and what else runs.
  syslog: [103, 116],
};

const EPERM = 1;
const ENOSYS = 38;
const EAFNOSUPPORT = 97;
const SECCOMP_ALLOW = 0x7fff0000;
const SECCOMP_ERRNO = 0x00050000;

/** `CLONE_NEW…` of everything but time, whose bit means something else to `clone`. */
const NEW_NAMESPACES = 0x7e020000;
/** `S_ISUID` and `S_ISGID`; `O_CREAT` and the bit of `O_TMPFILE` that is its own. */
const SETID_BITS = 0o6000;
const CREATE_FLAGS = 0o100 | 0o20000000;
const TERMINAL_INPUT = [0x5412, 0x541c]; // TIOCSTI, TIOCLINUX
const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const AF_NETLINK = 16;

/** Where `struct seccomp_data` holds what is asked for; of arguments the low half, which is all the kernel reads. */
const NUMBER_OFFSET = 0;
const ARCHITECTURE_OFFSET = 4;
const ARGUMENT_OFFSETS = [16, 24, 32, 40];

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, value: number];

/**
 * A filter for the system calls of a command, as `bwrap --seccomp` reads it; none for a processor that is not
 * known. Sockets are of the internet or of this machine alone, for others, as of virtual machines, are not divided
 * by network namespaces. With the network go the machine's abstract sockets, so there none of its kind is left.
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
    // The second set of numbers of x64, by which all of these could be called too.
    [0x35, 0, 1, 0x40000000],
    returnErrno(ENOSYS),
    ...Object.values(REFUSED_SYSCALLS).flatMap(([x64, arm64]) =>
      ifEqual(processor === "x64" ? x64 : arm64, [returnErrno(EPERM)])
    ),
    // Its flags lie in memory, where no filter can look, as do those of openat2; programs fall back.
    ...ifEqual(clone3, [returnErrno(ENOSYS)]),
    ...ifEqual(clone, [
      load(ARGUMENT_OFFSETS[0]),
      ...ifAnyBit(NEW_NAMESPACES, [returnErrno(EPERM)]),
      returnAllow(),
    ]),
    // A file that runs as its owner would wait in the workspace for another user of the machine.
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

/** What is done if the loaded value is this one. */
function ifEqual(value: number, then: Instruction[]): Instruction[] {
  return [[0x15, 0, then.length, value], ...then];
}

/** What is done if the loaded value has any of these bits. */
function ifAnyBit(bits: number, then: Instruction[]): Instruction[] {
  return [[0x45, 0, then.length, bits], ...then];
}

function unlessEqual(value: number, then: Instruction[]): Instruction[] {
  return [[0x15, then.length, 0, value], ...then];
}

/** As `struct sock_filter`, on machines whose numbers begin with the low byte. */
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
