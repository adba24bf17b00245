import { toUpstreamCaller } from "./upstream_caller.ts";
import { isObject, type JsonObject } from "../base/json.ts";
import { findChange } from "../dialects/adjustments/adjustment.ts";
import { hostFacts } from "../dialects/mod.ts";
import type { UpstreamResponse } from "../runtime/http/transport.ts";
import type { Route } from "../upstreams/upstream.ts";
import { type Network, send, type UpstreamRequest } from "../upstreams/send.ts";

/** Sends a turn of a conversation to the upstream of its route. */
export function sendTurn(
  network: Network,
  route: Route,
  { body, caller, ...rest }: Omit<UpstreamRequest, "path"> & { body: JsonObject },
): Promise<UpstreamResponse> {
  const { upstream, dialect } = route;
  return send(network, upstream, {
    path: dialect.path,
    body: withRouteOptions(body, route),
    caller: toUpstreamCaller(caller, route),
    ...rest,
  });
}

/** Adds the options of the route to the body, and excludes the provider that failed. */
export function withRouteOptions(body: JsonObject, { options, adjustments, upstream }: Route): JsonObject {
  const merged = { ...body, ...options };
  const excluded = findChange(adjustments, "exclude_provider");
  if (excluded === undefined || !hostFacts(upstream.preset).excludesProviders) return merged;
  const provider = isObject(merged.provider) ? merged.provider : {};
  const ignore = Array.isArray(provider.ignore) ? provider.ignore : [];
  return { ...merged, provider: { ...provider, ignore: [...ignore, excluded.provider] } };
}
