import type { Config } from "../config/settings.ts";
import { HOST_NAMES, type HostName } from "../config/presets.ts";
import type { Upstream } from "./upstream.ts";
import type { NamedUpstream } from "../config/upstreams.ts";

/**
 * Creates the upstreams of the settings. OpenRouter is the first, which is the default upstream.
 *
 * @example Usage
 * ```ts
 * import { parseConfig } from "../config/parse.ts";
 * import { createUpstreams } from "./from_config.ts";
 *
 * const UPSTREAMS = { groq: { url: "https://api.groq.com/openai/v1" } };
 * const [, groq] = createUpstreams(parseConfig({ settings: { UPSTREAMS } }));
 * if (groq?.preset !== "groq") throw new Error(groq?.preset);
 * ```
 */
export function createUpstreams(
  { openrouterBaseUrl, openrouterApiKey, upstreamDialect, upstreams }: Config,
): Upstream[] {
  const preset = defaultPreset("openrouter", openrouterBaseUrl);
  const openrouter: Upstream = {
    name: "openrouter",
    baseUrl: openrouterBaseUrl,
    key: openrouterApiKey,
    acceptsClientKey: true,
    preset,
    dialectChoice: upstreamDialect,
  };
  return [openrouter, ...[...upstreams].map(([name, named]) => toUpstream(name, named))];
}

function toUpstream(
  name: string,
  { url, key, headers, api_version: apiVersion, dialect, ...named }: NamedUpstream,
): Upstream {
  const preset = named.preset ?? defaultPreset(name, url);
  return {
    name,
    baseUrl: url,
    key,
    headers,
    apiVersion,
    preset,
    dialectChoice: dialect ?? "auto",
  };
}

/** Default preset by host or name. Only hosts of `anthropic.com` are treated as Anthropic, whatever their name. */
function defaultPreset(name: string, url: string): HostName {
  const { hostname } = new URL(url);
  if (/(^|\.)anthropic\.com$/.test(hostname)) return "anthropic";
  if (hostname === "api.openai.com") return "openai";
  const host = HOST_NAMES.find((candidate) => candidate === name);
  return host === undefined || host === "anthropic" ? "other" : host;
}
