// @ts-check
// Installs the packages of package-lock.json if some are missing or have another version: those of the program, before
// `npm start`, or with `--dev` also those of its tests. A clone that has the packages of the tests keeps them.
import { existsSync, readFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import process from "node:process";

/** A package of the tests: if it is installed, so are the others. */
const OF_TESTS = "node_modules/fast-check";

const withDev = process.argv.includes("--dev") || existsSync(OF_TESTS);
if (!isInstalled()) {
  const { status } = spawnSync(`npm ci ${withDev ? "--include=dev" : "--omit=dev"}`, {
    stdio: "inherit",
    shell: true,
  });
  process.exit(status ?? 1);
}

/** Compares what is installed with what npm is to install. Optional packages depend on the system. */
function isInstalled() {
  const installed = readPackages("node_modules/.package-lock.json");
  return Object.entries(readPackages("package-lock.json")).every(([path, { integrity, dev, optional }]) => {
    if (path === "" || (dev && !withDev)) return true;
    if (installed[path] === undefined) return optional;
    // npm's list still has a package whose folder was deleted.
    return installed[path].integrity === integrity && existsSync(path);
  });
}

/**
 * @param {string} file
 * @returns {Record<string, { integrity?: string, dev?: boolean, optional?: boolean }>}
 */
function readPackages(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).packages : {};
}
