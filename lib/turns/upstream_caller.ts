import type { Caller } from "../access/caller.ts";
import type { Route } from "../upstreams/upstream.ts";

/** Betas of `safeguards`. They are sent only with that field. */
const SAFEGUARD_BETA = /^dangerous-tool-use-/;

/**
 * Returns the caller as the upstream of a route receives it, with the betas that are left for it.
 *
 * Headers of Anthropic's API have no meaning in other dialects. The beta of `safeguards` goes only to upstreams that
 * receive the field.
 */
export function toUpstreamCaller(
  caller: Caller,
  betas: string | undefined,
  { dialect, model }: Route,
): Caller {
  const { client, key, correlationId } = caller;
  if (dialect.name !== "anthropic") return { client, key, correlationId };
  const sent = dialect.sendsSafeguards?.(model) === true ? betas : withoutSafeguards(betas);
  return { ...caller, betas: sent };
}

function withoutSafeguards(betas: string | undefined): string | undefined {
  if (betas === undefined) return undefined;
  const all = betas.split(",").map((beta) => beta.trim());
  const others = all.filter((beta) => !SAFEGUARD_BETA.test(beta));
  if (others.length === all.length) return betas;
  return others.length === 0 ? undefined : others.join(",");
}
