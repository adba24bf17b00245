// @ts-check
// Compiles the program into `dist`: for the npm package by `npm run build`, and for `npm start` by preload.mjs.
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, sep } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const OWN_PATH = fileURLToPath(import.meta.url);
const ROOT = fileURLToPath(new URL("../", import.meta.url));
const DIST = ROOT + "dist";

/** What the compiled form depends on. */
const SOURCES = ["mod.ts", "lib", "tools", "build", "package.json", "package-lock.json"];
/** The state of the sources that `dist` was compiled from. */
const STATE_FILE = DIST + sep + ".state";
const PROGRAM = DIST + sep + "mod.js";
/** Argument of this program with which it deletes nothing. */
const KEEP_OLD = "--keep-old";

/**
 * Compiles the program if its sources have changed since it was compiled. Another process does it, because the compiler
 * would stay in memory. What was compiled before stays: a gateway that runs may not have loaded all of it yet.
 */
export function compileChanged() {
  if (readState() === readCompiledState()) return;
  const { spawnSync } = process.getBuiltinModule("node:child_process");
  const { status } = spawnSync(process.execPath, [OWN_PATH, KEEP_OLD], { stdio: ["ignore", 2, 2] });
  if (status !== 0) process.exit(1);
}

/** Compiles the program into `dist`. */
async function compileToDist() {
  const state = readState();
  const compiled = await compile(DIST);
  if (process.argv[2] !== KEEP_OLD) {
    // Hidden files are the state, and those that a program which starts meanwhile has not finished.
    const isOld = (/** @type {string} */ path) => !compiled.includes(path) && !basename(path).startsWith(".");
    for (const path of listFiles(DIST).filter(isOld)) rmSync(path, { force: true });
  }
  write(STATE_FILE, state);
}

/**
 * Compiles the program into a folder, and returns the paths of its files. Packages stay packages. What is always loaded
 * together is one file: each file that is loaded takes a quarter of a millisecond, and 0.1 MB.
 *
 * @param {string} folder
 */
export async function compile(folder) {
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: ["mod.ts", "lib/worker.ts"],
    outdir: folder,
    chunkNames: "chunks/[name]-[hash]",
    bundle: true,
    splitting: true,
    packages: "external",
    format: "esm",
    platform: "node",
    target: "node20.19",
    sourcemap: true,
    sourcesContent: false,
    logLevel: "warning",
    plugins: [LOADED_WITH_START],
    write: false,
  });
  for (const { path, contents } of outputFiles) write(path, contents);
  return outputFiles.map(({ path }) => path);
}

/** What each start loads, with all that it imports. */
const START = ROOT + "lib" + sep + "gateway.ts";

/**
 * Lets each module that is loaded when it is needed import the start, which is loaded before. The compiler makes a file
 * of the modules that the same entry points reach: without these imports, it would divide the start into 60 files, by
 * what the modules that are loaded later use of it.
 *
 * @type {import("esbuild").Plugin}
 */
const LOADED_WITH_START = {
  name: "loaded with the start",
  setup({ onResolve, onLoad, resolve }) {
    onResolve({ filter: /^\./ }, async ({ kind, path, importer, resolveDir, pluginData }) => {
      if (kind !== "dynamic-import" || pluginData === RESOLVED) return undefined;
      const resolved = await resolve(path, { kind, importer, resolveDir, pluginData: RESOLVED });
      return { ...resolved, namespace: "needed" };
    });
    onLoad({ filter: /./, namespace: "needed" }, ({ path }) => ({
      contents: `import ${JSON.stringify(START)};\nexport * from ${JSON.stringify(path)};`,
      resolveDir: dirname(path),
    }));
  },
};

const RESOLVED = Symbol("resolved");

/** Returns the paths of the sources, with their times of change and sizes. */
function readState() {
  return SOURCES.flatMap((name) => name.includes(".") ? [ROOT + name] : listFiles(ROOT + name)).map(
    (path) => {
      const { mtimeMs, size } = statSync(path);
      return `${path.slice(ROOT.length)} ${Math.round(mtimeMs)} ${size}\n`;
    },
  ).join("");
}

/** Returns the state of the sources that `dist` was compiled from, if it was: `rm dist/*` leaves the hidden state. */
function readCompiledState() {
  return existsSync(PROGRAM) && existsSync(STATE_FILE) ? readFileSync(STATE_FILE, "utf8") : undefined;
}

/** @param {string} folder @returns {string[]} */
function listFiles(folder) {
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries.flatMap((entry) => {
    const path = folder + sep + entry.name;
    return entry.isDirectory() ? listFiles(path) : [path];
  });
}

/**
 * Writes a file at once: a program that starts meanwhile reads all of it, or none.
 *
 * @param {string} path
 * @param {string | Uint8Array} contents
 */
function write(path, contents) {
  mkdirSync(dirname(path), { recursive: true });
  const unfinished = `${dirname(path)}${sep}.${basename(path)}.${process.pid}`;
  writeFileSync(unfinished, contents);
  renameSync(unfinished, path);
}

/** @param {unknown} error */
function reportFailure(error) {
  // The compiler has named the mistakes in the sources.
  const named = error instanceof Error && "errors" in error;
  console.error(`Cannot compile the program into "${DIST}": ${named ? "its sources have mistakes" : error}`);
  process.exitCode = 1;
}

const [, script = ""] = process.argv;
if (existsSync(script) && realpathSync(script) === OWN_PATH) await compileToDist().catch(reportFailure);
