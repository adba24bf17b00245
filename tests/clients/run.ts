/**
 * `npm run test:clients`: installs the pinned clients when they are missing, checks the types of these files, and runs
 * every `*.client.ts` in the folders beside this file. Without Python or pip, the clients in Python are skipped.
 * Ends with `N passed, N failed`.
 */
import { spawnSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { fileURLToPath } from "node:url";
import { installPython } from "./python/home.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = join(here, "../..");
const counts = { passed: 0, failed: 0, skipped: 0 };

if (!isInstalled()) step("npm", ["ci", "--prefix", here]);
step(join(root, "node_modules/.bin/tsc"), ["-p", here]);
const noPython = installPython();
if (noPython !== false) process.stdout.write(`Skipping the clients in Python: ${noPython}\n`);

const folders = readdirSync(here, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== "node_modules");
const files = folders.flatMap(({ name }) =>
  readdirSync(join(here, name)).map((file) => join(here, name, file))
)
  .filter((path) => path.endsWith(".client.ts"));
// One file after the other: each starts a gateway and an upstream, on a machine that may have two cores.
const tests = run({ files: files.sort(), concurrency: 1, timeout: 600_000 });
tests.on("test:fail", ({ details }) => {
  if (details.type !== "suite") counts.failed++;
});
tests.on("test:pass", ({ details, skip }) => {
  if (skip !== undefined) counts.skipped++;
  else if (details.type !== "suite") counts.passed++;
});
const report = tests.compose(spec);
report.on("end", () => {
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : "";
  process.stdout.write(`${counts.passed} passed, ${counts.failed} failed${skipped}\n`);
  process.exitCode = counts.failed > 0 || counts.passed === 0 ? 1 : 0;
});
report.pipe(process.stdout);

/** True if the installed clients are those of the lock file. */
function isInstalled(): boolean {
  const modified = (path: string) => statSync(join(here, path), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return modified("node_modules/.package-lock.json") >= modified("package-lock.json");
}

function step(command: string, args: string[]): void {
  if (spawnSync(command, args, { cwd: root, stdio: "inherit" }).status === 0) return;
  process.stdout.write(`Cannot run "${command} ${args.join(" ")}"\n0 passed, 1 failed\n`);
  process.exit(1);
}
