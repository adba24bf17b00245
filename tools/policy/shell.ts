/** Settings and limits for commands. */
export interface ShellPolicy {
  /** Absolute path of the workspace, without symbolic links. */
  readonly root: string;
  /** `required` rejects commands if the sandbox is not available; `off` runs commands without one. */
  readonly sandbox: "required" | "off";
  /** True if commands reach the network without restriction, including the machine's loopback. */
  readonly network: boolean;
  /** Value of `PATH`. */
  readonly path: string;
  readonly limits: ShellLimits;
}

/** Resource limits of a command. */
export interface ShellLimits {
  /** Longest run time of a command, in seconds. A command may set a shorter one. */
  readonly seconds: number;
  /** Maximum number of threads of all processes together. */
  readonly processes: number;
  /** Maximum memory of all processes together. */
  readonly memoryBytes: number;
  /** Maximum number of bytes that all processes together write to disk. */
  readonly diskBytes: number;
  /** Maximum number of files and folders that all processes together create on disk. */
  readonly inodes: number;
  /** Size of `/tmp` and of `/dev/shm`, which are kept in memory. */
  readonly tmpBytes: number;
  /** Characters kept of stdout, and of stderr: half from the start, half from the end. */
  readonly keptOutputChars: number;
  /** Maximum output of a command, stdout and stderr together; a command that exceeds it is killed. */
  readonly maxOutputBytes: number;
}

const MiB = 2 ** 20;

/** The limits except of time: enough for builds and tests, too little to exhaust a machine. */
export const SHELL_LIMITS: Omit<ShellLimits, "seconds"> = {
  processes: 1024,
  memoryBytes: 2048 * MiB,
  diskBytes: 1024 * MiB,
  inodes: 250_000,
  tmpBytes: 256 * MiB,
  keptOutputChars: 30_000,
  maxOutputBytes: 16 * MiB,
};

/** `PATH` of the commands. */
export const SHELL_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Returns the environment of a command. It contains no variables of the gateway's environment. */
export function shellEnvironment({ path }: ShellPolicy, home: string): Record<string, string> {
  return { LANG: "C.UTF-8", TERM: "dumb", PATH: path, HOME: home, TMPDIR: "/tmp" };
}
