import { toUpstreamCaller } from "./upstream_caller.ts";
import { isObject, type JsonObject } from "../base/json.ts";
import type { Route } from "../upstreams/upstream.ts";
import { type Network, send, type UpstreamRequest } from "../upstreams/send.ts";

/** Sends a turn of a conversation to the upstream of its route. */
export function sendTurn(
  network: Network,
  route: Route,
  { body, caller, ...rest }: Omit<UpstreamRequest, "path"> & { body: JsonObject },
): Promise<Response> {
  const { upstream, dialect } = route;
  return send(network, upstream, {
    path: dialect.path,
    body: withRouteOptions(body, route),
    caller: toUpstreamCaller(caller, route),
    ...rest,
  });
}

/** Adds the options of the route to the body, and excludes the provider that failed. */
function withRouteOptions(body: JsonObject, { options, excludeProvider }: Route): JsonObject {
  const merged = { ...body, ...options };
  if (excludeProvider === undefined) return merged;
  const provider = isObject(merged.provider) ? merged.provider : {};
  const ignore = Array.isArray(provider.ignore) ? provider.ignore : [];
  return { ...merged, provider: { ...provider, ignore: [...ignore, excludeProvider] } };
}
