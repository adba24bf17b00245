import { isObject, type JsonObject } from "../base/json.ts";
import { findChange } from "../dialects/adjustments/adjustment.ts";
import { hostFacts } from "../dialects/mod.ts";
import type { Route } from "../upstreams/upstream.ts";

/** Adds the options of the route to the body, and excludes the provider that failed. */
export function withRouteOptions(body: JsonObject, { options, adjustments, upstream }: Route): JsonObject {
  const excluded = findChange(adjustments, "exclude_provider");
  const excludes = excluded !== undefined && hostFacts(upstream.preset).excludesProviders;
  if (!excludes && Object.keys(options).length === 0) return body;
  const merged = { ...body, ...options };
  if (!excludes) return merged;
  const provider = isObject(merged.provider) ? merged.provider : {};
  const ignore = Array.isArray(provider.ignore) ? provider.ignore : [];
  return { ...merged, provider: { ...provider, ignore: [...ignore, excluded.provider] } };
}
