import type { DialectChoice } from "../config/presets.ts";
import type { Dialect, ModelFacts, UpstreamKind } from "../dialects/mod.ts";
import type { JsonObject } from "../base/json.ts";
import type { Alias, Target } from "../config/aliases.ts";

/** Somebody the gateway can ask. */
export interface Upstream {
  name: string;
  /** The URL that the dialects' paths are put behind; without a slash at its end. */
  baseUrl: string;
  /** The gateway's own key for it. */
  key?: string | undefined;
  /** Whether it counts the tokens of a request in Anthropic's language itself, at `/messages/count_tokens`. */
  countsTokens?: boolean;
  /** Whether the client's key opens it where the gateway has none; to any other it is not shown. */
  acceptsClientKey?: boolean;
  /** What kind of host it is. */
  preset: UpstreamKind;
  dialectChoice: DialectChoice;
  /** Headers that go along with every request. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** What Azure wants in the query. */
  apiVersion?: string | undefined;
  /** How to reach it, where that is not the network. */
  fetch?: typeof fetch;
}

/** The way that a request takes. */
export interface Route {
  /** What is known of the model. */
  facts: ModelFacts;
  /** The model's name as the client said it. */
  alias: string;
  /** The model's name at the upstream. */
  model: string;
  upstream: Upstream;
  dialect: Dialect;
  options: JsonObject;
  /** Whether the model may be told what to cache; there are hosts behind OpenRouter that refuse a request for it. */
  cacheControl: boolean;
  /** Whether the model is not told what was thought earlier. */
  dropThinking?: boolean | undefined;
  /** A provider behind the upstream that is not to be asked. */
  excludeProvider?: string | undefined;
  /** Who is asked instead, in turn, where this one fails. */
  fallbacks: readonly (string | Target)[];
}

/** Everything that a model's name may mean. */
export interface Directory {
  /** By name; the first is asked where nothing else is said. */
  upstreams: ReadonlyMap<string, Upstream>;
  aliases: ReadonlyMap<string, Alias>;
}

/** The name of the embedded upstream. */
export const DEMO = "demo";
