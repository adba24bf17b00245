import { ConfigError, parseConfig } from "../../config/parse.ts";
import { GUARD_SETTINGS, SETTING_NAMES } from "../../config/settings.ts";
import { printLine } from "../../observability/log.ts";
import { readEnv } from "../../runtime/process.ts";
import { readFlags } from "../flags.ts";
import { type Shell, SHELLS, toShellLine } from "./shell.ts";

/** Runs `env`: prints the variables that connect Claude Code to the gateway of the same settings. */
export async function printEnv(args: readonly string[]): Promise<number> {
  const { shell, rest } = takeShell(args);
  const flags = readFlags(rest);
  const env = readEnv(SETTING_NAMES, { keepEmpty: GUARD_SETTINGS });
  const { host, port, gatewayApiKeys = [] } = parseConfig({ flags, env });
  const key = gatewayApiKeys.find((entry) => "key" in entry);
  const variables = [
    ["ANTHROPIC_BASE_URL", `http://${host}:${port}`],
    ["ANTHROPIC_AUTH_TOKEN", key !== undefined && "key" in key ? key.key : "none"],
    ["ANTHROPIC_API_KEY", undefined],
  ] as const;
  for (const [name, value] of variables) printLine(toShellLine(shell, name, value));
  return 0;
}

/** Separates `--shell` from the flags of settings. */
function takeShell(args: readonly string[]): { shell: Shell; rest: string[] } {
  const rest = [...args];
  const at = rest.findIndex((word) => /^--shell(=|$)/.test(word));
  if (at < 0) return { shell: "bash", rest };
  const [flag = "", next] = rest.splice(at, rest[at] === "--shell" ? 2 : 1);
  const name = flag.includes("=") ? flag.slice("--shell=".length) : next;
  const shell = SHELLS.find((known) => known === name);
  if (shell === undefined) {
    throw new ConfigError([`Cannot use flag "--shell": expected ${SHELLS.join(", ")}`]);
  }
  return { shell, rest };
}
