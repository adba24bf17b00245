import type { DialectChoice } from "../config/presets.ts";
import type { DialectInfo, ModelFacts, UpstreamKind } from "../dialects/mod.ts";
import type { Adjustment } from "../dialects/adjustments/adjustment.ts";
import type { JsonObject } from "../base/json.ts";
import type { Alias } from "../config/aliases.ts";

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

/** Upstream, model, dialect and options of requests for an alias. */
export interface RouteTarget {
  /** `upstream/model`, with a hash of the options if there are some. */
  key: string;
  /** Share of the requests, relative to those of the other targets in its group. */
  weight: number;
  /** True if its alias has other targets. Only then a failure makes it cool down. */
  hasAlternatives: boolean;
  /** The model's name in the client's request. */
  alias: string;
  /** The model's name at the upstream. */
  model: string;
  upstream: Upstream;
  dialect: DialectInfo;
  options: JsonObject;
  /** True if cache breakpoints are sent. Some providers behind OpenRouter reject requests that have them. */
  cacheControl: boolean;
}

/** The target that a request is sent to. */
export interface Route extends RouteTarget {
  /** Facts about the model from the upstream's list. */
  facts: ModelFacts;
  /** Changes of this request after refusals of the upstream. */
  adjustments?: readonly Adjustment[] | undefined;
  /** Targets to try in order if this one fails. */
  fallbacks: readonly RouteTarget[];
  /** Names of targets that would have come first, but cool down after failures. */
  skipped?: readonly string[];
}

/** Upstreams and aliases that model names resolve to. */
export interface Directory {
  /** By name; the first is the default. */
  upstreams: ReadonlyMap<string, Upstream>;
  aliases: ReadonlyMap<string, Alias>;
}

/** Name of the embedded upstream. */
export const DEMO = "demo";
