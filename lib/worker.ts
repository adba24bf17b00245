import { GUARDS, parseConfig, SETTING_NAMES, type SettingName } from "./config.ts";
import { readEnv } from "./env.ts";
import { createGateway, type Handler } from "./create_gateway.ts";
import { refuseExposure } from "./exposure.ts";
import { startLog } from "./observe.ts";

/** What such a runtime takes: a handler, and settings for the server of Bun. */
export type Worker = {
  idleTimeout: number;
  development: boolean;
  fetch(request: Request, bindings?: unknown): Promise<Response>;
};

/**
 * The gateway for runtimes that serve what a module exports by default: `deno serve`, Bun, Workers. Its settings
 * come from the bindings that the runtime hands over with the first request, where it does, then from the
 * environment. Where the runtime listens is not known, so without keys it serves only if `OPEN_ACCESS` is on.
 */
const worker: Worker = {
  // For Bun, which by default cuts streams that are silent for 10 seconds, and shows clients the stack of an error.
  idleTimeout: 0,
  development: false,
  async fetch(request, bindings) {
    handler ??= createHandler(bindings);
    return handler.fetch(request);
  },
};

export default worker;

// Not before the first request: Workers have their bindings only then.
let handler: Handler | undefined;

function createHandler(bindings: unknown): Handler {
  const settings = { ...readEnv(SETTING_NAMES, { evenEmpty: GUARDS }), ...pickSettings(bindings) };
  const config = parseConfig({ settings });
  refuseExposure(config);
  startLog(config.logLevel);
  return createGateway({ settings });
}

/** Deno and Bun hand over something else in this place, which has no text under these names. */
function pickSettings(bindings: unknown): Partial<Record<SettingName, string>> {
  if (typeof bindings !== "object" || bindings === null) return {};
  const entries: [string, unknown][] = Object.entries(bindings);
  const given = new Map(entries);
  const settings: Partial<Record<SettingName, string>> = {};
  for (const name of SETTING_NAMES) {
    const value = given.get(name);
    if (typeof value === "string" && (value !== "" || GUARDS.includes(name))) settings[name] = value;
  }
  return settings;
}
