import { ConfigError, parseConfig } from "../config/parse.ts";
import { type Config, GUARD_SETTINGS, SETTING_NAMES, type Settings } from "../config/settings.ts";
import { COMMANDS, type CreateGateway, type ReadyHandler } from "./commands.ts";
import { describeConfig, helpText } from "./help.ts";
import { exit, onStop, onUnhandledError, readEnv, setExitCode } from "../runtime/process.ts";
import { requireKeysOffLoopback } from "../config/bind_check.ts";
import { readFlags } from "./flags.ts";
import { isGuessable } from "../config/gateway_keys.ts";
import { logger, printError, printLine, startLog } from "../observability/log.ts";
import { logUnhandledError } from "../observability/counters.ts";
import { ListenError, serve } from "../runtime/serve.ts";
import { openStdio, type Stdio } from "../runtime/stdio.ts";
import { VERSION } from "../base/version.ts";

/** What the program serves. */
export interface Services {
  createGateway: CreateGateway;
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
  try {
    if (command === undefined) await runFlags(args, services);
    else setExitCode(await (await command.load())(args.slice(1), services.createGateway));
  } catch (error) {
    if (error instanceof ConfigError) return fail(error.mistakes, 2);
    if (error instanceof ListenError) return fail([error.message], 1);
    throw error;
  }
}

async function runFlags(args: readonly string[], services: Services): Promise<void> {
  const flags = readFlags(args);
  if (flags.action === "help") return printLine(helpText());
  if (flags.action === "version") return printLine(VERSION);

  const env = readEnv(SETTING_NAMES, { keepEmpty: GUARD_SETTINGS });
  if (flags.action === "check") printLine(describeConfig({ flags, env }));
  const stdio = flags.service === "mcp";
  const config = parseConfig({ flags, env }, { stdio });
  if (!stdio) requireKeysOffLoopback(config, config.host);
  if (flags.action === "check") return;
  startLog(config.logLevel, { levels: config.logComponents, format: config.logFormat });
  const settings = { ...env, ...flags.values };
  if (stdio) await startTools(settings, services);
  else await start(services.createGateway({ settings, host: config.host }), config);
}

async function start(gateway: ReadyHandler, config: Config): Promise<void> {
  await gateway.ready();
  const server = await serve(gateway, config);
  onStop(() => server.stop());
  onUnhandledError(logUnhandledError);
  printLine(`Listening on ${server.url}, forwarding to ${config.openrouterBaseUrl} ${describeKeys(config)}`);
  printLine(`ANTHROPIC_BASE_URL=${server.url}`);
  const { gatewayApiKeys = [], gatewayAdminKey } = config;
  const guessable = [...gatewayApiKeys, ...(gatewayAdminKey ? [gatewayAdminKey] : [])].filter(isGuessable);
  if (guessable.length > 0) {
    logger.warn("gateway key shorter than 16 characters can be guessed", {
      keys: guessable.map(({ name }) => name),
    });
  }
}

/** Serves the tools on stdin and stdout, and ends the program with them. Only the protocol writes to stdout. */
async function startTools(settings: Settings, { serveTools }: Services): Promise<void> {
  const server = await serveTools({ settings, streams: openStdio() });
  onStop(() => server.close());
  onUnhandledError(logUnhandledError);
  await server.ended;
  exit();
}

function describeKeys({ openrouterApiKey, gatewayApiKeys }: Config): string {
  if (openrouterApiKey !== undefined) return "with the gateway's key";
  return gatewayApiKeys === undefined
    ? "with each client's key; model demo/echo needs no key"
    : "without a key; model demo/echo needs no key";
}

function fail(mistakes: readonly string[], status: number): void {
  for (const mistake of mistakes) printError(mistake);
  setExitCode(status);
}
