import { ConfigError, parseConfig, type Sources } from "./config/parse.ts";
import { type Config, GUARD_SETTINGS, SETTING_NAMES, type SettingName } from "./config/settings.ts";
import { createGateway, type Gateway } from "./gateway.ts";
import { readEnv } from "./runtime/process.ts";
import { ApiError, errorResponse } from "./base/errors.ts";
import { requireKeysOffLoopback } from "./config/bind_check.ts";
import { newId } from "./runtime/ids.ts";
import { printError, startLog } from "./observability/log.ts";

/** What such a runtime takes: a handler, and settings for the server of Bun. */
export type Worker = {
  idleTimeout: number;
  development: boolean;
  fetch(request: Request, bindings?: unknown): Promise<Response>;
};

/**
 * The gateway for runtimes that serve what a module exports by default: `deno serve`, Bun, Workers. Its settings
 * come from the bindings that the runtime hands over with the first request, where it does, then from the
 * environment. Where the runtime listens is not known, so one with keys for upstreams serves only with keys for clients, or
 * if `OPEN_ACCESS` is on.
 *
 * While the settings cannot be used, every request is answered with an error, and the log names each mistake.
 */
const worker: Worker = {
  // For Bun, which by default cuts streams that are silent for 10 seconds, and shows clients the stack of an error.
  idleTimeout: 0,
  development: false,
  async fetch(request, bindings) {
    handler ??= createHandler(bindings);
    return handler === undefined ? configErrorResponse() : await handler.fetch(request);
  },
};

export default worker;

// Not before the first request: Workers have their bindings only then.
let handler: Gateway | undefined;

function createHandler(bindings: unknown): Gateway | undefined {
  const sources = {
    settings: pickSettings(bindings),
    env: readEnv(SETTING_NAMES, { keepEmpty: GUARD_SETTINGS }),
  };
  const config = readConfig(sources);
  if (config === undefined) return undefined;
  startLog(config.logLevel);
  return createGateway({ settings: { ...sources.env, ...sources.settings } });
}

/** The settings, or nothing where they cannot be used: there is no program here that could end. */
function readConfig(sources: Sources): Config | undefined {
  try {
    const config = parseConfig(sources);
    requireKeysOffLoopback(config);
    return config;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const mistake of error.mistakes) printError(mistake);
    return undefined;
  }
}

function configErrorResponse(): Response {
  const why = "Cannot serve: the gateway's settings cannot be used, its log names each mistake";
  return errorResponse(new ApiError("api_error", why, { retryable: false }), newId("req_"));
}

/** Deno and Bun hand over something else in this place, which has no text under these names. */
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
