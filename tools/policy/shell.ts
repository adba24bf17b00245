/** How commands may run. */
export interface ShellPolicy {
  /** The workspace: an absolute path, without links on the way. */
  readonly root: string;
  /** Whether a command may run where the operating system has no sandbox. */
  readonly sandbox: "required" | "off";
  /** Whether a command reaches the network: all of it, the machine's own loopback with it. */
  readonly network: boolean;
  /** Folders beside `/usr` that a command may read, such as a toolchain's; absolute paths. */
  readonly readable: readonly string[];
  /** Where programs are looked for, as in `PATH`. */
  readonly path: string;
  /** What a command finds in its environment beside `PATH`, `HOME`, `TMPDIR`, `LANG` and `TERM`. */
  readonly environment: Readonly<Record<string, string>>;
  readonly limits: ShellLimits;
}

/** How much a command may take. */
export interface ShellLimits {
  /** How long a command runs that asks for no time of its own, and how long any may. */
  readonly defaultSeconds: number;
  readonly maxSeconds: number;
  /** Processes and their threads, all together. */
  readonly processes: number;
  /** Memory of all processes together. */
  readonly memoryBytes: number;
  /** What all processes together may write to disk. */
  readonly diskBytes: number;
  /** The size of `/tmp`, which is kept in memory. */
  readonly tmpBytes: number;
  /** What is kept of stdout, and of stderr: half from the beginning, half from the end. */
  readonly keptOutputChars: number;
  /** Output that ends a command: it is out of hand. */
  readonly maxOutputBytes: number;
}

const MiB = 2 ** 20;

/** Room enough for builds and tests, and too little to bring down a machine. */
export const SHELL_LIMITS: ShellLimits = {
  defaultSeconds: 120,
  maxSeconds: 600,
  processes: 1024,
  memoryBytes: 2048 * MiB,
  diskBytes: 1024 * MiB,
  tmpBytes: 256 * MiB,
  keptOutputChars: 30_000,
  maxOutputBytes: 16 * MiB,
};

/** Where programs are found on most machines. */
export const SHELL_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** What a command finds in its environment; nothing of the gateway's own is in it. */
export function shellEnvironment(
  { path, environment }: ShellPolicy,
  home: string,
): Record<string, string> {
  return { LANG: "C.UTF-8", TERM: "dumb", ...environment, PATH: path, HOME: home, TMPDIR: "/tmp" };
}
