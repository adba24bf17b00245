/**
 * Runs all tests on Node.js: `node --import tsx tests/run.mts`, or `node tests/run.mts` on a Node.js that reads
 * TypeScript; an older one runs them compiled. The files of one folder share a process, because starting it takes
 * longer than most files take.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { compileProgram, compileTests, createOutput } from "./compile.mts";

const TESTS = fileURLToPath(new URL("./", import.meta.url));

/** Folder whose files each have a process: they start programs and read their logs. */
const SEPARATE = "end_to_end";

/** Returns the test files of each folder, by the folder's path in `tests`. */
function findTests(): Map<string, string[]> {
  const folders = new Map<string, string[]>();
  for (const entry of readdirSync(TESTS, { recursive: true, withFileTypes: true })) {
    const folder = relative(TESTS, entry.parentPath);
    if (!entry.isFile() || !entry.name.endsWith(".test.ts") || folder.split("/").includes("node_modules")) {
      continue;
    }
    folders.set(folder, [...folders.get(folder) ?? [], join(entry.parentPath, entry.name)].sort());
  }
  return folders;
}

/** Returns the files for Node's runner: a test file, or one in `directory` that imports the test files of a folder. */
function toProcesses(folders: Map<string, string[]>, directory: string): string[] {
  return [...folders].sort().flatMap(([folder, files]) => {
    if (files.length === 1 || folder.split("/")[0] === SEPARATE) return files;
    const file = join(directory, `${folder.replaceAll("/", "_") || "tests"}.test.mjs`);
    writeFileSync(
      file,
      files.map((path) => `import ${JSON.stringify(pathToFileURL(path).href)};\n`).join(""),
    );
    return [file];
  });
}

/** Compiles the tests for an older Node.js. Returns the files, options and variables for Node's runner. */
async function compile(files: readonly string[], directory: string) {
  const output = createOutput(directory);
  return {
    files: await compileTests(files, output),
    options: ["--enable-source-maps"],
    env: { COMPILED_PROGRAM: await compileProgram(output) },
  };
}

const directory = mkdtempSync(join(tmpdir(), "tests-"));
process.on("exit", () => rmSync(directory, { recursive: true }));
const processes = toProcesses(findTests(), directory);
const { files, options, env } = process.features.typescript
  ? { files: processes, options: [], env: {} }
  : await compile(processes, directory);
const preload = ["--import", new URL("./kit/untracked_promises.mjs", import.meta.url).href];
const runner = spawn(process.execPath, [...options, ...preload, "--test", ...files], {
  stdio: "inherit",
  env: { ...process.env, ...env },
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => runner.kill(signal));
runner.on("close", (status) => {
  process.exitCode = status ?? 1;
});
