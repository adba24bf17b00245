import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { SETTING_NAMES } from "../../../lib/config/settings.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** The command that starts the program on one runtime; `missing` is the reason why it cannot, or false. */
export type Runtime = { name: string; command: string[]; readsEnv: boolean; missing: string | false };

/** The runtimes with the commands of README.md, and the current Node.js if it needs no tsx. */
export const RUNTIMES: readonly Runtime[] = [
  runtime("node with tsx", ["node", "--import", "tsx", "mod.ts"], { readsEnv: true }),
  ...(isNewerNode() ? [runtime("node", [process.execPath, "mod.ts"], { readsEnv: true })] : []),
  runtime("deno", [bin("deno"), "run", "--no-prompt", "--allow-net", "mod.ts"], { readsEnv: false }),
  runtime("bun", [bin("bun"), "run", "mod.ts"], { readsEnv: true }),
];

/** The runtime of the tests. CI runs them on every runtime, so most start the program on this one only. */
export const OWN_RUNTIMES: readonly Runtime[] = RUNTIMES.filter(({ name }) => name === ownName());

/**
 * The program on the runtime of the tests. On a Node.js that does not read TypeScript it is the compiled program, which
 * starts faster, if `tests/run.mts` has compiled it.
 */
export const OWN_PROGRAMS: readonly Runtime[] = OWN_RUNTIMES.map((own) => {
  const { COMPILED_PROGRAM: compiled } = process.env;
  if (own.name !== "node with tsx" || compiled === undefined) return own;
  return { ...own, name: "node, compiled", command: [process.execPath, compiled] };
});

/** A running program. */
export type Program = {
  pid: number | undefined;
  /** Waits until the output matches, and returns the first group. Rejects if the program ends first. */
  find(pattern: RegExp): Promise<string>;
  kill(signal: "SIGTERM" | "SIGINT"): void;
  /** Writes to stdin, which is open until `endInput()` if `input` is true. */
  write(text: string): void;
  endInput(): void;
  ended: Promise<{ status: number | null; signal: string | null; stdout: string; stderr: string }>;
};

/** Starts the program with only these settings in its environment. Its stdin is closed unless `input` is true. */
export function launch(
  { command }: Runtime,
  args: string[],
  settings: Record<string, string> = {},
  { input = false }: { input?: boolean } = {},
): Program {
  const inherited = Object.entries(process.env).filter(([name]) =>
    !SETTING_NAMES.some((known) => known === name)
  );
  const env = { ...Object.fromEntries(inherited), NO_COLOR: "1", ...settings };
  const [file = "", ...rest] = command;
  const child = spawn(file, [...rest, ...args], { cwd: ROOT, env });
  if (!input) child.stdin.end();
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => output[name] += text);
  }
  const ended = new Promise<Awaited<Program["ended"]>>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status, signal) => resolve({ status, signal, ...output }));
  });
  return {
    pid: child.pid,
    ended,
    write: (text) => child.stdin.write(text),
    endInput: () => child.stdin.end(),
    kill(signal) {
      // Not child.kill(): after it, Deno reports the signal even if the child exited with a status.
      if (child.pid !== undefined) process.kill(child.pid, signal);
    },
    find: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = pattern.exec(output.stdout) ?? pattern.exec(output.stderr);
          if (found) resolve(found[1] ?? "");
        };
        for (const name of ["stdout", "stderr"] as const) child[name].on("data", look);
        look();
        ended.then(
          () => reject(new Error(`ended without ${pattern}: ${output.stdout}${output.stderr}`)),
          reject,
        );
      }),
  };
}

function runtime(name: string, command: string[], { readsEnv }: { readsEnv: boolean }): Runtime {
  const [file = ""] = command;
  const there = file.includes("/") ? existsSync(file) : spawnSync(file, ["--version"]).status === 0;
  if (!there) console.log(`skipped: no ${name} at ${file}`);
  return { name, command, readsEnv, missing: there ? false : `no ${name} at ${file}` };
}

function ownName(): string {
  const { bun, deno } = process.versions;
  if (bun !== undefined) return "bun";
  if (deno !== undefined) return "deno";
  return isNewerNode() ? "node" : "node with tsx";
}

/** True on a Node.js that runs TypeScript. Bun and Deno also report a version of Node.js. */
function isNewerNode(): boolean {
  const { bun, deno } = process.versions;
  return bun === undefined && deno === undefined && Boolean(process.features.typescript);
}

function bin(name: string): string {
  return `${ROOT}node_modules/.bin/${name}`;
}
