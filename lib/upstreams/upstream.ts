import type { DialectChoice } from "../config/presets.ts";
import type { Dialect, ModelFacts, UpstreamKind } from "../dialects/mod.ts";
import type { Adjustment } from "../dialects/adjustments/adjustment.ts";
import type { JsonObject } from "../base/json.ts";
import type { Alias, Target } from "../config/aliases.ts";

/** An upstream that the gateway can send requests to. */
export interface Upstream {
  name: string;
  /** Base URL of the dialects' paths, without a slash at its end. */
  baseUrl: string;
  /** The gateway's key for it. */
  key?: string | undefined;
  /** True if the client's key is sent to it when the gateway has none. No other upstream receives the client's key. */
  acceptsClientKey?: boolean;
  /** Kind of upstream. */
  preset: UpstreamKind;
  dialectChoice: DialectChoice;
  /** Headers added to every request. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** `api-version` query parameter, which Azure requires. */
  apiVersion?: string | undefined;
  /** All models of an embedded upstream. Default: the list that the upstream serves. */
  models?: readonly { id: string }[];
  /** Transport of an embedded upstream. Default: the network. */
  fetch?: typeof fetch;
}

/** Upstream, model, dialect and options of a request. */
export interface Route {
  /** Facts about the model from the upstream's list. */
  facts: ModelFacts;
  /** The model's name in the client's request. */
  alias: string;
  /** The model's name at the upstream. */
  model: string;
  upstream: Upstream;
  dialect: Dialect;
  options: JsonObject;
  /** True if cache breakpoints are sent. Some providers behind OpenRouter reject requests that have them. */
  cacheControl: boolean;
  /** Changes of this request after refusals of the upstream. */
  adjustments?: readonly Adjustment[] | undefined;
  /** Targets to try in order if this route fails. */
  fallbacks: readonly (string | Target)[];
}

/** Upstreams and aliases that model names resolve to. */
export interface Directory {
  /** By name; the first is the default. */
  upstreams: ReadonlyMap<string, Upstream>;
  aliases: ReadonlyMap<string, Alias>;
}

/** Name of the embedded upstream. */
export const DEMO = "demo";
