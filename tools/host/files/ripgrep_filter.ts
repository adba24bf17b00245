import { spawn } from "node:child_process";
import { stat } from "node:fs/promises";
import type { FilePolicy } from "../../policy/files.ts";
import { type SearchPattern, toRipgrepPattern } from "./ripgrep_pattern.ts";

/** Leaves out files that surely hold nothing of a pattern. */
export type RipgrepFilter = (
  paths: readonly string[],
  pattern: SearchPattern,
  signal: AbortSignal,
) => Promise<readonly string[]>;

/** Where ripgrep is usually; the search path is not asked, for the workspace itself may be on it. */
const RIPGREP_PATHS = [
  "/usr/bin/rg",
  "/usr/local/bin/rg",
  "/opt/homebrew/bin/rg",
  "/home/linuxbrew/.linuxbrew/bin/rg",
];

/** What is not UTF-8 matches nothing of ripgrep's; we read it as U+FFFD, and so must have a look ourselves. */
const NOT_UTF8 = [
  "(?-u:[\\xC0\\xC1\\xF5-\\xFF])",
  "(?-u:[\\xC2-\\xF4](?:[\\x00-\\x7F]|$))",
  "(?-u:(?:^|[\\x00-\\x7F])[\\x80-\\xBF])",
];

/** How many bytes of paths one run is given. */
const MAX_ARGUMENT_BYTES = 100_000;

/**
 * Makes a sieve of ripgrep. It is only told which files to look at, and only its word on which ones hold nothing
 * is taken: what is shown of a file is read by us, so ripgrep, which opens by path, need not be trusted with links.
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
      // Not there, or Deno's flags do not let us look: the next one may be.
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

/** Gives nothing if ripgrep cannot be run, or does not take the pattern. */
function runRipgrep({ command, root, batch, pattern, signal }: RipgrepRun): Promise<string[] | undefined> {
  const options = [
    ...["--no-config", "--files-with-matches", "--null", "--text", "--crlf", "--no-messages", "--threads=2"],
    ...(pattern.ignoreCase ? ["--ignore-case"] : ["--case-sensitive"]),
    // We join lines by LF alone, so a match over lines may be where ripgrep sees CR LF and none.
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
      // Deno without the right to run it.
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
      // 1 is "no match"; 2 is a pattern that it does not take, or a file that it cannot read.
      if (code !== 0 && code !== 1) return resolve(undefined);
      const names = new TextDecoder().decode(Buffer.concat(chunks)).split("\0");
      resolve(names.filter((name) => name !== "").map((name) => name.slice(2)));
    });
  });
}
