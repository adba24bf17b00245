import type { Caller } from "../access/caller.ts";
import type { Route } from "../upstreams/upstream.ts";

/** Betas of `safeguards`. They are sent only with that field. */
const SAFEGUARD_BETA = /^dangerous-tool-use-/;

/**
 * Returns the caller as the upstream of a route receives it.
 *
 * Headers of Anthropic's API have no meaning in other dialects. The beta of `safeguards` goes only to upstreams that
 * receive the field.
 */
export function toUpstreamCaller(caller: Caller, { dialect, model }: Route): Caller {
  const { client, key, correlationId } = caller;
  if (dialect.name !== "anthropic") return { client, key, correlationId };
  if (caller.betas === undefined || dialect.sendsSafeguards?.(model) === true) return caller;
  const all = caller.betas.split(",").map((beta) => beta.trim());
  const betas = all.filter((beta) => !SAFEGUARD_BETA.test(beta));
  if (betas.length === all.length) return caller;
  return { ...caller, betas: betas.length === 0 ? undefined : betas.join(",") };
}
