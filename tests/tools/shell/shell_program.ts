import process from "node:process";
import { createShell } from "../../../tools/host/shell.ts";
import { SHELL_LIMITS, SHELL_PATH } from "../../../tools/policy/shell.ts";

// A program that runs one command in a workspace and prints the result.
const [root = "", command = ""] = process.argv.slice(2);
const open = createShell({
  root,
  sandbox: "required",
  network: false,
  path: SHELL_PATH,
  limits: { ...SHELL_LIMITS, seconds: 120 },
});
const ended = await open({ signal: new AbortController().signal }).run(command);
process.stdout.write(JSON.stringify(ended));
