import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const WANTED = join(HERE, "requirements.txt");
const HOME = join(HERE, ".venv");
/** The interpreter that has the clients in Python. */
export const PYTHON: string = join(HOME, "bin/python");
/** The requirements that are installed. It is written last. */
const INSTALLED = join(HOME, "requirements.txt");

/** Why the clients in Python cannot run here, or `false`. */
export const NO_PYTHON: string | false = isInstalled()
  ? false
  : "npm run test:clients has not installed the clients in Python";

/** Installs the pinned clients in Python if they are missing. Returns why that is impossible, or `false`. */
export function installPython(): string | false {
  if (isInstalled()) return false;
  rmSync(HOME, { recursive: true, force: true });
  const steps: [string, string[]][] = [
    ["python3", ["-m", "venv", HOME]],
    [PYTHON, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", WANTED]],
  ];
  for (const [command, args] of steps) {
    const { status, error, stderr } = spawnSync(command, args, { encoding: "utf8", timeout: 600_000 });
    const reason = error?.message ?? stderr.trim().split("\n").at(-1);
    if (status !== 0) return `"${command} ${args.slice(0, 3).join(" ")}" fails: ${reason}`;
  }
  copyFileSync(WANTED, INSTALLED);
  return false;
}

function isInstalled(): boolean {
  return existsSync(INSTALLED) && readFileSync(INSTALLED, "utf8") === readFileSync(WANTED, "utf8");
}
