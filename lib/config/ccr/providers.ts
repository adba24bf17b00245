import { quote } from "../../base/redact.ts";
import type { DialectChoice, HostName } from "../presets.ts";
import { BUILT_IN_UPSTREAMS, type NamedUpstream } from "../upstreams.ts";
import type { CcrProvider } from "./parse_ccr.ts";
import { readTransformers } from "./transformers.ts";

/** Upstreams that replace the providers of claude-code-router. */
export interface Upstreams {
  /** The provider that becomes the default upstream: OpenRouter. */
  openrouter?: { url: string; key: string } | undefined;
  named: Map<string, NamedUpstream>;
  /** Names of upstreams by the names of their providers; a provider without one cannot be used. */
  names: Map<string, string>;
  notes: string[];
}

/** Converts providers. OpenRouter becomes the built-in upstream. */
export function toUpstreams(providers: readonly CcrProvider[]): Upstreams {
  const result: Upstreams = { named: new Map(), names: new Map(), notes: [] };
  for (const provider of providers) {
    const { dialect, unusable, notes } = readTransformers(provider);
    result.notes.push(...notes);
    if (unusable) continue;
    const { url, apiVersion, preset, endpoint } = readUrl(provider, result.notes);
    const key = provider.api_key.trim();
    if (preset === "openrouter" && result.openrouter === undefined) {
      result.openrouter = { url, key };
      if (!result.names.has(provider.name)) result.names.set(provider.name, OPENROUTER);
      continue;
    }
    const name = toName(provider.name, result);
    // Of providers with one name, claude-code-router finds the first.
    if (!result.names.has(provider.name)) result.names.set(provider.name, name);
    const choice = dialect ?? endpoint;
    result.named.set(name, {
      url,
      ...(key !== "" && { key }),
      ...(choice !== undefined && { dialect: choice }),
      ...(preset !== undefined && preset !== name && { preset }),
      ...(apiVersion !== undefined && { api_version: apiVersion }),
    });
  }
  return result;
}

/** Name of the built-in upstream. */
export const OPENROUTER = "openrouter";

/** Presets by host name. */
const HOSTS: readonly [host: RegExp, preset: HostName][] = [
  [/(^|\.)openrouter\.ai$/, "openrouter"],
  [/^generativelanguage\.googleapis\.com$/, "gemini"],
  [/^api\.deepseek\.com$/, "deepseek"],
  [/^api\.groq\.com$/, "groq"],
  [/^api\.mistral\.ai$/, "mistral"],
  [/^api\.x\.ai$/, "xai"],
  [/^(api\.z\.ai|open\.bigmodel\.cn)$/, "zai"],
  [/^api\.moonshot\.(ai|cn)$/, "moonshot"],
  [/\.openai\.azure\.com$/, "azure"],
];

/** Ends of a provider's URL, which is that of an endpoint. The base URL is what precedes it. */
const ENDPOINTS: readonly [end: RegExp, dialect: DialectChoice | undefined][] = [
  [/\/chat\/completions$/, undefined],
  [/\/responses$/, "responses"],
  [/\/messages$/, "anthropic"],
];

/** Base URL of Gemini's OpenAI-compatible API. Source: https://ai.google.dev/gemini-api/docs/openai */
const GEMINI_URL = "https://generativelanguage.googleapis.com/v1beta/openai";

function readUrl({ name, api_base_url: given }: CcrProvider, notes: string[]) {
  const [address = "", query = ""] = given.trim().split("?");
  const trimmed = address.replace(/\/+$/, "");
  const host = /^https?:\/\/([^/:]+)/.exec(trimmed)?.[1] ?? "";
  const known = HOSTS.find(([pattern]) => pattern.test(host))?.[1];
  const preset = known ?? (name.toLowerCase() === OPENROUTER ? OPENROUTER : undefined);
  if (preset === "gemini" && !trimmed.includes("/openai")) return { url: GEMINI_URL, preset };
  const endpoint = ENDPOINTS.find(([end]) => end.test(trimmed));
  if (endpoint === undefined) {
    notes.push(
      `the URL of provider ${
        quote(name)
      } names no known endpoint: check the url of its upstream, which usually ends in /v1`,
    );
  }
  const parameters = new URLSearchParams(query);
  const apiVersion = parameters.get("api-version") ?? undefined;
  parameters.delete("api-version");
  if (parameters.size > 0) notes.push(`the query in the URL of provider ${quote(name)}`);
  return {
    url: endpoint === undefined ? trimmed : trimmed.replace(endpoint[0], ""),
    preset,
    endpoint: endpoint?.[1],
    apiVersion,
  };
}

/** Returns a valid, unused name for an upstream. */
function toName(given: string, { named, notes }: Upstreams): string {
  const base = given.replace(/[^\w.-]+/g, "-").replace(/^-+|-+$/g, "").slice(0, MAX_NAME_CHARS) || "upstream";
  let name = base;
  for (let nth = 2; BUILT_IN_UPSTREAMS.includes(name) || named.has(name); nth++) {
    name = `${base}-${nth}`;
  }
  if (name !== given) notes.push(`provider ${quote(given)} is the upstream "${name}"`);
  return name;
}

const MAX_NAME_CHARS = 60;
