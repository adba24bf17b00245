import { ConfigError, parseConfig } from "../config/parse.ts";
import { type Config, GUARD_SETTINGS, SETTING_NAMES, type Settings } from "../config/settings.ts";
import { readMcpConfig } from "../config/mcp_config.ts";
import { runBatch } from "./batch.ts";
import { describeConfig, describeServers, helpText } from "./help.ts";
import {
  exit,
  onStop,
  onUnhandledError,
  readEnv,
  readTextFile,
  readVariable,
  setExitCode,
} from "../runtime/process.ts";
import { requireKeysOffLoopback } from "../config/bind_check.ts";
import { readFlags } from "./flags.ts";
import { isGuessable } from "../config/gateway_keys.ts";
import { logger, printError, printLine, startLog } from "../observability/log.ts";
import { logUnhandledError } from "../observability/counters.ts";
import { type FetchHandler, ListenError, serve } from "../runtime/serve.ts";
import { openStdio, type Stdio } from "../runtime/stdio.ts";
import { VERSION } from "../base/version.ts";

/** The part of a gateway that the program uses. */
interface ReadyHandler extends FetchHandler {
  ready(): Promise<void>;
  stop(): Promise<void>;
}

/** What the program serves. */
export interface Services {
  /** Creates the gateway. */
  createGateway(options: { settings: Settings; host?: string }): ReadyHandler;
  /** Serves the tools on a connection until its input ends. */
  serveTools(
    options: { settings: Settings; streams: Stdio },
  ): Promise<{ ended: Promise<void>; close(): Promise<void> }>;
}

/**
 * Runs the program: serves, unless the command line selects another action. The exit status is 2 if the settings are
 * invalid and 1 if the server cannot listen.
 */
export async function main(args: readonly string[], services: Services): Promise<void> {
  if (args[0] === "batch") return await runBatch(args.slice(1), services.createGateway);
  const flags = readFlags(args);
  if (flags.action === "help") return printLine(helpText());
  if (flags.action === "version") return printLine(VERSION);

  const env = readEnv(SETTING_NAMES, { keepEmpty: GUARD_SETTINGS });
  if (flags.action === "check") printLine(describeConfig({ flags, env }));
  try {
    const stdio = flags.service === "mcp";
    const config = parseConfig({ flags, env }, { stdio });
    if (!stdio) requireKeysOffLoopback(config, config.host);
    if (flags.action === "check" && config.mcpConfig !== undefined) {
      printLine(describeServers(readMcpConfig(config.mcpConfig, { readText: readTextFile, readVariable })));
    }
    if (flags.action !== "serve") return;
    startLog(config.logLevel);
    const settings = { ...env, ...flags.values };
    if (stdio) await startTools(settings, services);
    else await start(services.createGateway({ settings, host: config.host }), config);
  } catch (error) {
    if (error instanceof ConfigError) return fail(error.mistakes, 2);
    if (error instanceof ListenError) return fail([error.message], 1);
    throw error;
  }
}

async function start(gateway: ReadyHandler, config: Config): Promise<void> {
  await gateway.ready();
  const server = await serve(gateway, config);
  onStop(() => server.stop());
  onUnhandledError(logUnhandledError);
  printLine(`Listening on ${server.url}, forwarding to ${config.openrouterBaseUrl} ${describeKeys(config)}`);
  const others = [...config.upstreams.keys()].map((name) => `${name}/…`);
  if (others.length > 0) printLine(`Models of other upstreams: ${others.join(", ")}`);
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
