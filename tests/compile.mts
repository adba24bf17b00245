import { readFile } from "node:fs/promises";
import { mkdirSync, symlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

/**
 * Compiles test files for a Node.js that does not read TypeScript, with all that they import but packages. Returns the
 * compiled files, which are in a new folder of `directory`. Through `tsx`, each process would spend about two
 * milliseconds of CPU time on each module.
 */
export async function compileTests(files: readonly string[], directory: string): Promise<string[]> {
  const outdir = join(directory, "compiled");
  mkdirSync(outdir);
  symlinkSync(join(ROOT, "node_modules"), join(outdir, "node_modules"));
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
