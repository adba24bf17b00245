import { isObject, type JsonObject } from "../base/json.ts";
import type { Route } from "../upstreams/upstream.ts";
import { type Network, send, type UpstreamRequest } from "../upstreams/send.ts";

/** Asks an upstream for a turn of a conversation. */
export function sendTurn(
  network: Network,
  route: Route,
  { body, caller, ...question }: Omit<UpstreamRequest, "path"> & { body: JsonObject },
): Promise<Response> {
  const { upstream, dialect } = route;
  // What a version or a beta of Anthropic's API means is known only to those who speak it.
  const asker = dialect.name === "anthropic" ? caller : { client: caller.client, key: caller.key };
  return send(network, upstream, {
    path: dialect.path,
    body: withRouteOptions(body, route),
    caller: asker,
    ...question,
  });
}

/** The body with what the settings say of the model, and without the provider that is to be avoided. */
function withRouteOptions(body: JsonObject, { options, excludeProvider }: Route): JsonObject {
  const whole = { ...body, ...options };
  if (excludeProvider === undefined) return whole;
  const provider = isObject(whole.provider) ? whole.provider : {};
  const ignore = Array.isArray(provider.ignore) ? provider.ignore : [];
  return { ...whole, provider: { ...provider, ignore: [...ignore, excludeProvider] } };
}
