import { spawn } from "node:child_process";
import { stat } from "node:fs/promises";
import type { FilePolicy } from "../../policy/files.ts";
import { type SearchPattern, toRipgrepPattern } from "./ripgrep_pattern.ts";

/** Removes files that cannot contain a match of a pattern. */
export type RipgrepFilter = (
  paths: readonly string[],
  pattern: SearchPattern,
  signal: AbortSignal,
) => Promise<readonly string[]>;

/** Usual locations of ripgrep. `PATH` is not searched, because it may contain the workspace. */
const RIPGREP_PATHS = [
  "/usr/bin/rg",
  "/usr/local/bin/rg",
  "/opt/homebrew/bin/rg",
  "/home/linuxbrew/.linuxbrew/bin/rg",
];

/** Patterns for invalid UTF-8. Ripgrep finds no match there, but the tools read it as U+FFFD: such files are kept. */
const NOT_UTF8 = [
  "(?-u:[\\xC0\\xC1\\xF5-\\xFF])",
  "(?-u:[\\xC2-\\xF4](?:[\\x00-\\x7F]|$))",
  "(?-u:(?:^|[\\x00-\\x7F])[\\x80-\\xBF])",
];

/** Approximate limit of the arguments of one run. */
const MAX_ARGUMENT_BYTES = 100_000;

/**
 * Creates a filter that runs ripgrep on the given files, and uses only its list of files that may match.
 *
 * The tools read these files themselves. Ripgrep, which opens files by path, need not be trusted with links.
 */
export function createRipgrepFilter({ root, ripgrep }: FilePolicy): RipgrepFilter {
  let program: Promise<string | undefined> | undefined;
  return async (paths, pattern, signal) => {
    program ??= findRipgrep(ripgrep);
    const command = await program;
    if (command === undefined) return paths;
    const kept = new Set<string>();
    for (const batch of toBatches(paths)) {
      const found = await runRipgrep({ command, root, batch, pattern, signal });
      if (found === undefined) return paths;
      for (const path of found) kept.add(path);
    }
    return paths.filter((path) => kept.has(path));
  };
}

async function findRipgrep(configured: string | undefined): Promise<string | undefined> {
  for (const path of configured === undefined ? RIPGREP_PATHS : [configured]) {
    if (path === "off") return undefined;
    try {
      if ((await stat(path)).isFile()) return path;
    } catch {
      // It does not exist, or Deno has no permission to check: try the next one.
    }
  }
  return undefined;
}

function* toBatches(paths: readonly string[]): Generator<string[]> {
  let batch: string[] = [];
  let length = 0;
  for (const path of paths) {
    if (length > MAX_ARGUMENT_BYTES) {
      yield batch;
      batch = [];
      length = 0;
    }
    batch.push(path);
    length += path.length + 3;
  }
  if (batch.length > 0) yield batch;
}

interface RipgrepRun {
  command: string;
  root: string;
  batch: readonly string[];
  pattern: SearchPattern;
  signal: AbortSignal;
}

/** Returns the files that may match, or undefined if ripgrep cannot be run or rejects the pattern. */
function runRipgrep({ command, root, batch, pattern, signal }: RipgrepRun): Promise<string[] | undefined> {
  const options = [
    ...["--no-config", "--files-with-matches", "--null", "--text", "--crlf", "--no-messages", "--threads=2"],
    ...(pattern.ignoreCase ? ["--ignore-case"] : ["--case-sensitive"]),
    // The tools join lines with LF, so a match over several lines may exist where ripgrep sees CR LF and finds none.
    ...(pattern.multiline ? ["--multiline", "--regexp=\\r"] : []),
    ...[toRipgrepPattern(pattern), ...NOT_UTF8].map((regexp) => `--regexp=${regexp}`),
  ];
  const files = batch.map((path) => `./${path}`);
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    let child;
    try {
      child = spawn(command, [...options, "--", ...files], {
        cwd: root,
        env: {},
        stdio: ["ignore", "pipe", "ignore"],
      });
    } catch {
      // Deno without permission to run it.
      return resolve(undefined);
    }
    const chunks: Uint8Array[] = [];
    const stop = () => child.kill("SIGKILL");
    signal.addEventListener("abort", stop, { once: true });
    child.stdout.on("data", (chunk: Uint8Array) => chunks.push(chunk));
    child.once("error", () => resolve(undefined));
    child.once("close", (code) => {
      signal.removeEventListener("abort", stop);
      if (signal.aborted) return reject(signal.reason);
      // 1: no match; 2: an unsupported pattern or an unreadable file.
      if (code !== 0 && code !== 1) return resolve(undefined);
      const names = new TextDecoder().decode(Buffer.concat(chunks)).split("\0");
      resolve(names.filter((name) => name !== "").map((name) => name.slice(2)));
    });
  });
}
