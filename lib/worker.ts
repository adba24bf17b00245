import { loadSources } from "./config/sources/load_sources.ts";
import { ConfigError, parseConfig, toOrigins, toSettings } from "./config/parse.ts";
import { GUARD_SETTINGS, SETTING_NAMES, type SettingName } from "./config/settings.ts";
import { createGateway, type Gateway } from "./gateway.ts";
import { readTextFile } from "./runtime/files.ts";
import { readVariable } from "./runtime/process.ts";
import { ApiError, errorResponse } from "./base/errors.ts";
import { requireKeysOffLoopback } from "./config/bind_check.ts";
import { newId } from "./runtime/ids.ts";
import { printError, startLog } from "./observability/log.ts";

/** Type of the default export: a request handler, and options of Bun's server. */
export type Worker = {
  idleTimeout: number;
  development: boolean;
  fetch(request: Request, bindings?: unknown): Promise<Response>;
};

/**
 * The gateway for runtimes that serve a module's default export: `deno serve`, Bun, Workers. Settings come from the
 * bindings that Workers pass with the first request, then from the environment, then from the file that the variable
 * `CONFIG_FILE` names. The listening address is unknown here.
 * A gateway with an upstream key or `UPSTREAMS` therefore needs `GATEWAY_API_KEYS`, or `OPEN_ACCESS=on`.
 *
 * If the settings are invalid, every request is answered with an error, and the log lists each mistake.
 */
const worker: Worker = {
  // For Bun: its defaults cut streams after 10 s of silence and send error stacks to clients.
  idleTimeout: 0,
  development: false,
  async fetch(request, bindings) {
    const creating = handler ??= createHandler(bindings);
    const gateway = await creating;
    if (gateway !== undefined) return await gateway.fetch(request);
    // The next request may bring settings that are valid.
    if (handler === creating) handler = undefined;
    return configErrorResponse();
  },
};

export default worker;

// Created with the first request: Workers pass their bindings only then.
let handler: Promise<Gateway | undefined> | undefined;

/**
 * Creates the gateway. If the settings are invalid, prints each mistake and returns undefined: there is no program to
 * exit.
 */
async function createHandler(bindings: unknown): Promise<Gateway | undefined> {
  const sources = {
    settings: pickSettings(bindings),
    ...await loadSources({}, { readVariable, readTextFile }),
  };
  try {
    const config = parseConfig(sources);
    requireKeysOffLoopback(config);
    startLog(config.logLevel, { levels: config.logComponents, format: config.logFormat });
    return createGateway({ settings: toSettings(sources), origins: toOrigins(sources) });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const mistake of error.mistakes) printError(mistake);
    return undefined;
  }
}

function configErrorResponse(): Response {
  const why = "Cannot serve requests: the gateway's settings are invalid, its log lists each mistake";
  return errorResponse(new ApiError("api_error", why, { retryable: false }), newId("req_"));
}

/** Reads settings from the bindings. Deno and Bun pass another object there, which has no strings under these names. */
function pickSettings(bindings: unknown): Partial<Record<SettingName, string>> {
  if (typeof bindings !== "object" || bindings === null) return {};
  const entries: [string, unknown][] = Object.entries(bindings);
  const given = new Map(entries);
  const settings: Partial<Record<SettingName, string>> = {};
  for (const name of SETTING_NAMES) {
    const value = given.get(name);
    if (typeof value === "string" && (value !== "" || GUARD_SETTINGS.includes(name))) settings[name] = value;
  }
  return settings;
}
