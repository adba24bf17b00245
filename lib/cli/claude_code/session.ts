import { isObject } from "../../base/json.ts";
import { toLocalUrl } from "../../base/local_url.ts";
import { NAME } from "../../base/version.ts";
import type { LoadedSources } from "../../config/sources/load_sources.ts";
import type { Config } from "../../config/settings.ts";
import { isGiven } from "../sources.ts";
import {
  type ClientSettings,
  type OfferedModel,
  toClientSettings,
} from "../../claude_code/client_settings.ts";

/** How Claude Code reaches a gateway. */
export interface Connection {
  url: string;
  token: string;
}

/** What Claude Code needs of a gateway: where it is, and its models. */
export interface Session extends ClientSettings {
  /** Model of new sessions; undefined if Claude Code's own default is used. */
  model: string | undefined;
}

/** Text for a gateway that needs no token: without one, Claude Code asks to log in. */
export const ANY_TOKEN = "any";

/** Returns the address for clients on this machine, and a key of the settings if there is one in plain text. */
export function toConnection({ host, port, gatewayApiKeys = [] }: Config): Connection {
  const plain = gatewayApiKeys.flatMap((entry) => "key" in entry ? [entry.key] : []);
  return { url: toLocalUrl(host, port), token: plain[0] ?? ANY_TOKEN };
}

/** Returns the model of new sessions by the settings; the embedded one if no other can answer. */
export function chooseModel(sources: LoadedSources, config: Config): string | undefined {
  // An alias of this name replaces ANTHROPIC_MODEL, with its options and fallbacks.
  if (config.modelMap.has("big")) return "big";
  if (isGiven("ANTHROPIC_MODEL", sources)) return config.anthropicModel;
  if (config.openrouterApiKey !== undefined) return undefined;
  const [alias] = config.modelMap.keys();
  return alias ?? (config.upstreams.size === 0 ? DEMO_MODEL : undefined);
}

/**
 * Returns true if a model is one of the default upstream, and the settings have no key for it. Aliases are not
 * examined: their fallbacks may have one.
 */
export function lacksKey(
  model: string | undefined,
  { openrouterApiKey, modelMap, upstreams }: Config,
): boolean {
  if (openrouterApiKey !== undefined) return false;
  if (model === undefined) return true;
  const prefix = /^([^/]+)\//.exec(model)?.[1] ?? "";
  return model !== DEMO_MODEL && !modelMap.has(model) && !upstreams.has(prefix);
}

/** Model that needs no key. */
export const DEMO_MODEL = "demo/echo";

const DEMO: OfferedModel = { id: DEMO_MODEL, description: "Repeats your words; needs no key" };

/** Asks a gateway for its models, and returns the settings of Claude Code. Unknown facts are left out. */
export async function describeSession(
  connection: Connection,
  sources: LoadedSources,
  config: Config,
): Promise<Session> {
  const model = chooseModel(sources, config);
  const hasUpstream = config.openrouterApiKey !== undefined || config.upstreams.size > 0;
  const ids = [
    ...(model === undefined ? [] : [model]),
    ...config.modelMap.keys(),
    ...(hasUpstream ? ["big", "small"] : []),
  ];
  const answers = await Promise.all(
    [...new Set(ids)].map((id) => id === DEMO_MODEL ? DEMO : fetchModel(connection, id, id === model)),
  );
  const models = answers.filter((found) => found !== undefined);
  const { settings, variables } = toClientSettings(models, { chosen: model !== undefined });
  return { model, settings, variables: { ...variables, ...backgroundModels(model, sources, config) } };
}

/** Returns the models behind Claude Code's own names, where the operator has chosen some. */
function backgroundModels(
  model: string | undefined,
  sources: LoadedSources,
  config: Config,
): Record<string, string> {
  const hasSmall = isGiven("ANTHROPIC_SMALL_FAST_MODEL", sources);
  // Without a key for OpenRouter, only the chosen model is known to answer.
  const small = hasSmall
    ? config.anthropicSmallFastModel
    : config.openrouterApiKey === undefined
    ? model
    : undefined;
  return {
    ...(model !== undefined && {
      ANTHROPIC_DEFAULT_FABLE_MODEL: model,
      ANTHROPIC_DEFAULT_OPUS_MODEL: model,
      ANTHROPIC_DEFAULT_SONNET_MODEL: model,
    }),
    ...(small !== undefined && { ANTHROPIC_DEFAULT_HAIKU_MODEL: small }),
  };
}

/** Returns a model as the gateway lists it; only its name if the gateway does not answer in time. */
async function fetchModel(
  connection: Connection,
  id: string,
  always: boolean,
): Promise<OfferedModel | undefined> {
  const listed = await getJson(connection, `/v1/models/${id.split("/").map(encodeURIComponent).join("/")}`);
  if (listed === undefined) return always ? { id } : undefined;
  const { display_name: label, description, max_input_tokens: window } = listed;
  return {
    id,
    label: typeof label === "string" ? label : undefined,
    description: typeof description === "string"
      ? description.split("\n")[0]?.slice(0, MAX_TEXT_CHARS)
      : undefined,
    window: typeof window === "number" ? window : undefined,
  };
}

const MAX_TEXT_CHARS = 200;

/**
 * Returns true if a gateway of this program answers at an address, accepts the token, and has a key for an upstream as
 * far as it says so.
 */
export async function isUsable(connection: Connection): Promise<boolean> {
  const health = await getJson({ ...connection, token: ANY_TOKEN }, "/health");
  if (health?.["service"] !== NAME) return false;
  const status = await getJson(connection, "/status");
  if (status === undefined) return false;
  const { upstreams } = status;
  return !Array.isArray(upstreams) ||
    upstreams.some((one) => isObject(one) && one["key_configured"] === true);
}

/** Returns the object that a gateway answers; undefined for any failure: the caller then continues without it. */
async function getJson(
  { url, token }: Connection,
  path: string,
): Promise<Record<string, unknown> | undefined> {
  try {
    const headers = { "authorization": `Bearer ${token}`, "anthropic-version": "2023-06-01" };
    const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
    const response = await fetch(`${url}${path}`, { headers, signal, redirect: "manual" });
    const body: unknown = await response.json();
    return response.ok && isObject(body) ? body : undefined;
  } catch {
    return undefined;
  }
}

/** Time for an answer about models: Claude Code waits for its start. */
const ANSWER_TIMEOUT_MS = 3000;
