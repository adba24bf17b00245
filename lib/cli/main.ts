import { requiresKeys } from "../config/gateway_keys.ts";
import { ConfigError, parseConfig, toOrigins, toSettings } from "../config/parse.ts";
import { readMcpConfig } from "../config/mcp/mcp_config.ts";
import type { Config, Settings } from "../config/settings.ts";
import type { CommandServices, ReadyHandler } from "./command.ts";
import { COMMANDS } from "./commands.ts";
import { describeConfig, describeServers, helpText } from "./help.ts";
import { readTextFile } from "../runtime/files.ts";
import { exit, onStop, onUnhandledError, readVariable, setExitCode } from "../runtime/process.ts";
import { requireKeysOffLoopback } from "../config/bind_check.ts";
import { type Flags, readFlags } from "./flags.ts";
import { readSources } from "./sources.ts";
import { reloadOnChange, warnOfGuessableKeys } from "./reload.ts";
import { printError, printLine, startLog } from "../observability/log.ts";
import { logUnhandledError } from "../observability/counters.ts";
import { ListenError, type RunningServer, serve } from "../runtime/http/serve.ts";
import { openStdio, type Stdio } from "../runtime/stdio.ts";
import { VERSION } from "../base/version.ts";

/** What the program serves. */
export interface Services extends CommandServices {
  /** Serves the tools on a connection until its input ends. */
  serveTools(
    options: { settings: Settings; streams: Stdio },
  ): Promise<{ ended: Promise<void>; close(): Promise<void> }>;
}

/**
 * Runs the program: a command of {@linkcode COMMANDS} if the first argument names one; otherwise serves, unless the
 * command line selects another action. The exit status is 2 if the settings are invalid and 1 if the server cannot
 * listen.
 */
export async function main(args: readonly string[], services: Services): Promise<void> {
  const command = COMMANDS.get(args[0] ?? "");
  // Arguments after `--` are those of the program that a command runs.
  const ownArgs = args.slice(0, args.includes("--") ? args.indexOf("--") : args.length);
  if (command !== undefined && ownArgs.some((word) => word === "--help" || word === "-h")) {
    return printLine(helpText());
  }
  try {
    if (command === undefined) await runFlags(args, services);
    else setExitCode(await (await command.load())(args.slice(1), services));
  } catch (error) {
    if (error instanceof ConfigError) return fail(error.mistakes, 2);
    if (error instanceof ListenError) return fail([error.message], 1);
    // A handler of unhandled errors would log it, if the log is on, and the program would seem to have succeeded.
    printError(error instanceof Error ? error.stack ?? error.message : String(error));
    exit(1);
  }
}

async function runFlags(args: readonly string[], services: Services): Promise<void> {
  const flags = readFlags(args);
  if (flags.action === "help") return printLine(helpText());
  if (flags.action === "version") return printLine(VERSION);

  const sources = await readSources(flags);
  if (flags.action === "check") printLine(describeConfig(sources));
  const stdio = flags.service === "mcp";
  const config = parseConfig(sources, { stdio });
  if (!stdio) requireKeysOffLoopback(config, config.host);
  if (flags.action === "check") {
    if (config.mcpConfig === undefined) return;
    return printLine(
      describeServers(readMcpConfig(config.mcpConfig, { readText: readTextFile, readVariable })),
    );
  }
  startLog(config.logLevel, { levels: config.logComponents, format: config.logFormat, batched: true });
  const settings = toSettings(sources);
  if (stdio) return await startTools(settings, services);
  await start(services.createGateway({ settings, origins: toOrigins(sources), host: config.host }), config, {
    flags,
    files: sources.files,
  });
}

async function start(
  gateway: ReadyHandler,
  config: Config,
  { flags, files }: { flags: Flags; files: readonly string[] },
): Promise<void> {
  const server = await listen(gateway, config);
  const onSignal = onStop(() => server.stop());
  onUnhandledError(logUnhandledError);
  if (files.length > 0) {
    reloadOnChange(gateway, { flags, files, host: config.host, onTerminalClosed: onSignal });
  }
  printLine(`Listening on ${server.url}, forwarding to ${config.openrouterBaseUrl} ${describeKeys(config)}`);
  const others = [...config.upstreams.keys()].map((name) => `${name}/…`);
  if (others.length > 0) printLine(`Models of other upstreams: ${others.join(", ")}`);
  printLine(`ANTHROPIC_BASE_URL=${server.url}`);
  warnOfGuessableKeys(config);
}

/** Starts the server. Stops the gateway if that fails: its background work would keep the process alive. */
async function listen(gateway: ReadyHandler, config: Config): Promise<RunningServer> {
  try {
    await gateway.ready();
    return await serve(gateway, { ...config, onAcceptError: logUnhandledError });
  } catch (error) {
    await gateway.stop();
    throw error;
  }
}

/** Serves the tools on stdin and stdout, and ends the program with them. Only the protocol writes to stdout. */
async function startTools(settings: Settings, { serveTools }: Services): Promise<void> {
  const server = await serveTools({ settings, streams: openStdio() });
  onStop(() => server.close());
  onUnhandledError(logUnhandledError);
  await server.ended;
  exit(0);
}

function describeKeys(config: Config): string {
  if (config.openrouterApiKey !== undefined) return "with the gateway's key";
  return requiresKeys(config)
    ? "without a key; model demo/echo needs no key"
    : "with each client's key; model demo/echo needs no key";
}

function fail(mistakes: readonly string[], status: number): void {
  for (const mistake of mistakes) printError(mistake);
  setExitCode(status);
}
