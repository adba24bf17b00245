import { ConfigError, parseConfig } from "../../config/parse.ts";
import { printLine } from "../../observability/log.ts";
import { readFlags } from "../flags.ts";
import { readSources } from "../sources.ts";
import { CLEARED_VARIABLES } from "../../claude_code/client_settings.ts";
import { describeSession, toConnection } from "./session.ts";
import { type Shell, SHELLS, toShellLine } from "./shell.ts";

/**
 * Runs `env`: prints the variables that connect Claude Code to the gateway at the address of the settings. The sizes of
 * its models are known only while it runs.
 *
 * @throws {ConfigError} if the settings or the shell are invalid.
 */
export async function printEnv(args: readonly string[]): Promise<number> {
  const { shell, rest } = takeShell(args);
  const sources = await readSources(readFlags(rest));
  const config = parseConfig(sources);
  const connection = toConnection(config);
  const { model, variables } = await describeSession(connection, sources, config);
  const lines: Record<string, string | undefined> = {
    ...Object.fromEntries(CLEARED_VARIABLES.map((name) => [name, undefined])),
    ANTHROPIC_BASE_URL: connection.url,
    ANTHROPIC_AUTH_TOKEN: connection.token,
    ...(model !== undefined && { ANTHROPIC_MODEL: model }),
    ...variables,
  };
  for (const [name, value] of Object.entries(lines)) printLine(toShellLine(shell, name, value));
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
    throw new ConfigError([
      `Cannot use flag "--shell": expected ${SHELLS.slice(0, -1).join(", ")} or ${SHELLS.at(-1)}`,
    ]);
  }
  return { shell, rest };
}
