// @ts-check
// Compiles the program into `dist`: for the npm package by `npm run build`, and for `npm start` by preload.mjs.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, sep } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const DIST = ROOT + "dist";

/** What the compiled form depends on. */
const SOURCES = ["mod.ts", "lib", "tools", "build", "package.json", "package-lock.json"];
/** The state of the sources that `dist` was compiled from. */
const STATE_FILE = DIST + sep + ".state";

/**
 * Compiles the program if its sources have changed since it was compiled. What was compiled before stays: a gateway that
 * runs may not have loaded all of it yet.
 */
export async function compileChanged() {
  const state = readState();
  if (state === readCompiledState()) return;
  await compile(DIST);
  write(STATE_FILE, state);
}

/** Compiles the program, and deletes what is left of earlier compilations. */
async function compileAnew() {
  const state = readState();
  const compiled = await compile(DIST);
  for (const path of listFiles(DIST)) if (!compiled.includes(path)) rmSync(path);
  write(STATE_FILE, state);
}

/**
 * Compiles the program into a folder, and returns the paths of its files. Packages stay packages. What is always loaded
 * together is one file: each file that is loaded takes a quarter of a millisecond.
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
    write: false,
  });
  for (const { path, contents } of outputFiles) write(path, contents);
  return outputFiles.map(({ path }) => path);
}

/** Returns the paths of the sources, with their times of change and sizes. */
function readState() {
  return SOURCES.flatMap((name) => name.includes(".") ? [ROOT + name] : listFiles(ROOT + name)).map(
    (path) => {
      const { mtimeMs, size } = statSync(path);
      return `${path} ${mtimeMs} ${size}\n`;
    },
  ).join("");
}

function readCompiledState() {
  try {
    return readFileSync(STATE_FILE, "utf8");
  } catch {
    return undefined; // not compiled yet
  }
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
  const unfinished = `${path}.${process.pid}`;
  writeFileSync(unfinished, contents);
  renameSync(unfinished, path);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await compileAnew();
