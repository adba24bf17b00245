/** Settings and limits for commands. */
export interface ShellPolicy {
  /** Absolute path of the workspace, without symbolic links. */
  readonly root: string;
  /** `required` rejects commands if the sandbox is not available; `off` runs commands without one. */
  readonly sandbox: "required" | "off";
  /** True if commands reach the network without restriction, including the machine's loopback. */
  readonly network: boolean;
  /** Absolute paths of folders besides `/usr` that commands may read, such as a toolchain's. */
  readonly readable: readonly string[];
  /** Value of `PATH`. */
  readonly path: string;
  /** Environment variables besides `PATH`, `HOME`, `TMPDIR`, `LANG` and `TERM`. */
  readonly environment: Readonly<Record<string, string>>;
  readonly limits: ShellLimits;
}

/** Resource limits of a command. */
export interface ShellLimits {
  /** Time limit of a command that sets none, in seconds. */
  readonly defaultSeconds: number;
  /** Longest time limit that a command may set, in seconds. */
  readonly maxSeconds: number;
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

/** Default limits: enough for builds and tests, too little to exhaust a machine. */
export const SHELL_LIMITS: ShellLimits = {
  defaultSeconds: 120,
  maxSeconds: 600,
  processes: 1024,
  memoryBytes: 2048 * MiB,
  diskBytes: 1024 * MiB,
  inodes: 250_000,
  tmpBytes: 256 * MiB,
  keptOutputChars: 30_000,
  maxOutputBytes: 16 * MiB,
};

/** Default `PATH`. */
export const SHELL_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Returns the environment of a command. It contains no variables of the gateway's environment. */
export function shellEnvironment(
  { path, environment }: ShellPolicy,
  home: string,
): Record<string, string> {
  return { LANG: "C.UTF-8", TERM: "dumb", ...environment, PATH: path, HOME: home, TMPDIR: "/tmp" };
}
