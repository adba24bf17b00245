import { ConfigError, parseConfig, toSettings } from "../../config/parse.ts";
import { type Config, SECRET_SETTINGS, type Settings } from "../../config/settings.ts";
import type { LoadedSources } from "../../config/sources/load_sources.ts";
import { isObject, tryJson } from "../../base/json.ts";
import { quote } from "../../base/redact.ts";
import { logUnhandledError } from "../../observability/counters.ts";
import { printError, startLog } from "../../observability/log.ts";
import { runChild, StartError } from "../../runtime/child.ts";
import { FileError, readTextFile, withTemporaryFile } from "../../runtime/files.ts";
import { newId } from "../../runtime/ids.ts";
import { exit, onUnhandledError, readEnvironment } from "../../runtime/process.ts";
import { type RunningServer, serve } from "../../runtime/http/serve.ts";
import type { CommandServices, CreateGateway } from "../command.ts";
import { type Flags, readFlags } from "../flags.ts";
import { isGiven, readSources } from "../sources.ts";
import { CLEARED_VARIABLES } from "../../claude_code/client_settings.ts";
import {
  type Connection,
  DEMO_MODEL,
  describeSession,
  isUsable,
  lacksKey,
  type Session,
  toConnection,
} from "./session.ts";

/**
 * Runs `claude`: starts a gateway for one Claude Code, or uses the one that listens at the address of the settings, and
 * exits with Claude Code's status. Arguments after `--` are Claude Code's.
 *
 * @throws {ConfigError} if the settings are invalid, or if Claude Code is not installed.
 */
export async function runClaude(
  args: readonly string[],
  { createGateway }: CommandServices,
): Promise<number> {
  const cut = args.includes("--") ? args.indexOf("--") : args.length;
  const clientArgs = args.slice(cut + 1);
  const sources = await readSources(readOwnFlags(args.slice(0, cut)));
  const config = parseConfig(sources);
  onUnhandledError(logUnhandledError);

  const listening = toConnection(config);
  const reused = config.port !== 0 && await isUsable(listening);
  if (reused) printError(`Using the gateway at ${listening.url}`);
  const own = reused ? undefined : await startOwn(sources, config, createGateway);
  let status: number;
  try {
    const connection = own ?? listening;
    const session = await describeSession(connection, sources, config);
    if (session.model === DEMO_MODEL && !isGiven("ANTHROPIC_MODEL", sources)) printError(NO_KEY);
    if (!reused && lacksKey(session.model, config)) printError(describeMissingKey(session.model, config));
    status = await runClient(connection, session, clientArgs);
  } finally {
    await own?.server.stop();
  }
  return exit(status); // idle connections to upstreams would delay the end
}

const NO_KEY = "No key for a model is set (OPENROUTER_API_KEY): demo/echo answers, which repeats your words";

/** Reads the flags before `--`. A mistake may be an argument of Claude Code in the wrong place. */
function readOwnFlags(args: readonly string[]): Flags {
  const flags = readFlags(args);
  const hint = "Arguments of Claude Code follow --, as in: claude -- -p hello";
  return flags.mistakes.length === 0 ? flags : { ...flags, mistakes: [...flags.mistakes, hint] };
}

function describeMissingKey(model: string | undefined, { upstreams }: Config): string {
  const [other = "demo"] = upstreams.keys();
  const named = other === "demo" ? DEMO_MODEL : `${other}/…`;
  return `No key for ${
    model ?? "Claude Code's default model"
  } is set (OPENROUTER_API_KEY): its requests fail; ` +
    `--model ${named} needs none`;
}

/** Starts a gateway on a free port of this machine, with a key for this session besides those of the settings. */
async function startOwn(
  sources: LoadedSources,
  config: Config,
  createGateway: CreateGateway,
): Promise<Connection & { server: RunningServer }> {
  const token = newId("");
  const keys = (config.gatewayApiKeys ?? []).map((entry) =>
    "key" in entry ? `${entry.name}:${entry.key}` : `${entry.name}:sha256:${entry.sha256}`
  );
  const settings: Settings = {
    ...toSettings(sources),
    GATEWAY_API_KEYS: [...keys, `${SESSION_KEY}:${token}`],
  };
  // Log lines would be in the middle of Claude Code's screen. The level of a configuration file is that of a server.
  const { file: _file, ...withoutFile } = sources;
  startLog(isGiven("LOG_LEVEL", withoutFile) ? config.logLevel : "off", {
    levels: config.logComponents,
    format: config.logFormat,
  });
  const host = "127.0.0.1";
  const gateway = createGateway({ settings, host });
  await gateway.ready();
  const server = await serve(gateway, { ...config, host, port: 0, onAcceptError: logUnhandledError });
  return { url: server.url, token, server };
}

/** Name of the key that a gateway for one session has. */
const SESSION_KEY = "claude-session";

/**
 * Runs Claude Code with the variables and settings of a session, for it alone.
 *
 * @throws {ConfigError} if it cannot be started.
 */
async function runClient(
  { url, token }: Connection,
  { settings, variables }: Session,
  args: readonly string[],
): Promise<number> {
  const { merged, rest } = mergeSettings(settings, args);
  // The gateway's own secrets are none of the commands that Claude Code runs.
  const cleared = new Set<string>([...CLEARED_VARIABLES, ...SECRET_SETTINGS]);
  const inherited = Object.entries(readClientEnvironment()).filter(([name]) => !cleared.has(name));
  const env = {
    ...variables,
    ...Object.fromEntries(inherited),
    ANTHROPIC_BASE_URL: url,
    ANTHROPIC_AUTH_TOKEN: token,
  };
  try {
    return await withTemporaryFile(
      "settings.json",
      JSON.stringify(merged),
      (path) => runChild("claude", ["--settings", path, ...rest], env),
    );
  } catch (error) {
    if (!(error instanceof StartError || error instanceof FileError)) throw error;
    const missing = error instanceof StartError && error.missing;
    throw new ConfigError([`Cannot start Claude Code: ${missing ? NOT_INSTALLED : error.message}`]);
  }
}

function readClientEnvironment(): Record<string, string> {
  try {
    return readEnvironment();
  } catch {
    // Only Deno's permissions forbid it.
    throw new ConfigError([
      "Cannot start Claude Code: Deno was started without --allow-env; --allow-all is needed",
    ]);
  }
}

const NOT_INSTALLED =
  'no program "claude" is on the PATH; install it with "npm install -g @anthropic-ai/claude-code"';

/** Joins the user's own `--settings`, a file or JSON, with those of the session: Claude Code accepts only one. */
function mergeSettings(settings: object, args: readonly string[]): { merged: object; rest: string[] } {
  const rest = [...args];
  const at = rest.findIndex((word) => /^--settings(=|$)/.test(word));
  if (at < 0) return { merged: settings, rest };
  const [flag = "", next = ""] = rest.splice(at, rest[at] === "--settings" ? 2 : 1);
  const given = flag.includes("=") ? flag.slice("--settings=".length) : next;
  const text = given.trimStart().startsWith("{") ? given : readSettingsFile(given);
  const own = tryJson(text);
  if (!isObject(own)) {
    throw new ConfigError([`Cannot use --settings ${quote(given)}: it is not a JSON object`]);
  }
  return { merged: { ...settings, ...own }, rest };
}

function readSettingsFile(path: string): string {
  try {
    return readTextFile(path);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    throw new ConfigError([`Cannot use --settings ${quote(path)}: ${error.message}`]);
  }
}
