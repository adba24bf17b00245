import { readFile } from "node:fs/promises";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";
import { compile } from "../build/compile.mjs";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

/** Creates a folder in which compiled files find the packages. */
export function createOutput(directory: string): string {
  const output = join(directory, "compiled");
  mkdirSync(output);
  symlinkSync(join(ROOT, "node_modules"), join(output, "node_modules"));
  writeFileSync(join(output, "package.json"), '{ "type": "module" }');
  return output;
}

/** Compiles the program as in the package. Returns its path. */
export async function compileProgram(output: string): Promise<string> {
  const folder = join(output, "program");
  await compile(folder);
  return join(folder, "mod.js");
}

/**
 * Compiles test files for a Node.js that does not read TypeScript, with all imports except packages. Returns the
 * compiled files. Through `tsx`, each process would spend about two milliseconds of CPU time on each module.
 */
export async function compileTests(files: readonly string[], outdir: string): Promise<string[]> {
  const entryPoints = files.map((path, nth) => ({
    in: path,
    out: `${nth}_${basename(path).replace(/\.test\.m?[jt]s$/, "")}`,
  }));
  await build({
    entryPoints,
    outdir,
    outExtension: { ".js": ".test.mjs" },
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    packages: "external",
    sourcemap: true,
    define: { "import.meta.url": "moduleUrl" },
    plugins: [sourceUrls],
  });
  return entryPoints.map(({ out }) => join(outdir, `${out}.test.mjs`));
}

/** Resolves `file:` URLs, and defines the URL of its source in each module: tests find files by it. */
const sourceUrls: Plugin = {
  name: "source-urls",
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^file:/ }, ({ path }) => ({ path: fileURLToPath(path) }));
    onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const [, firstLine = "", source = ""] = /^(#!.*\n)?(.*)$/s.exec(await readFile(path, "utf8")) ?? [];
      const url = JSON.stringify(pathToFileURL(path).href);
      return { contents: `${firstLine}const moduleUrl = ${url};${source}`, loader: "ts" };
    });
  },
};
