import type { Caller } from "./access.ts";
import { ApiError } from "./errors.ts";
import type { Gateway } from "./gateway.ts";
import { findModel, toFacts } from "./model_list.ts";
import { toHost } from "./dialects/mod.ts";
import { resolveModel, type Route, unknownModel } from "./models.ts";

/**
 * Finds the way for a model's name, as far as this caller may go it.
 *
 * A model that the upstream's list does not have is refused where the list is whole; names that mean more than one model (`~author/…-latest`,
 * `@preset/…`) are the upstream's to judge.
 *
 * @throws {ApiError} `not_found_error` for a model nobody has, `authentication_error` where there is no key to use.
 */
export async function findRoute(
  { directory, catalogue }: Gateway,
  name: string,
  caller: Caller,
): Promise<Route> {
  const route = resolveModel(name, directory);
  const { upstream, model } = route;
  if (upstream.clientKey && upstream.key === undefined && caller.key === undefined) {
    throw new ApiError(
      "authentication_error",
      `x-api-key header is required: upstream "${upstream.name}" has no key of its own (model "demo/echo" needs none)`,
    );
  }
  const listed = await catalogue.look(upstream, caller);
  const found = findModel(listed, model);
  const complete = listed.length > 0 && toHost(upstream.preset).list === "all";
  if (complete && found === undefined && !/^[~@]/.test(model)) {
    throw unknownModel(name, model, listed.map(({ id }) => id));
  }
  return { ...route, facts: toFacts(found) };
}

/** Names the upstream and the model, in characters that a header may hold. */
export function toHeaderName({ upstream, model }: Pick<Route, "upstream" | "model">): string {
  return `${upstream.name}/${model}`.toWellFormed().replace(/[^\w./:@~+-]/gu, encodeURIComponent);
}
