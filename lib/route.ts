import type { Caller } from "./access.ts";
import { ApiError } from "./errors.ts";
import type { Gateway } from "./gateway.ts";
import { checkModel, DEMO, resolveModel, type Route } from "./models.ts";

/**
 * Finds the way for a model's name, as far as this caller may go it.
 *
 * @throws {ApiError} `not_found_error` for a model nobody has, `authentication_error` where there is no key to use.
 */
export function findRoute({ directory, catalogue }: Gateway, model: string, caller: Caller): Route {
  const route = resolveModel(model, directory);
  const { upstream } = route;
  if (upstream.name !== DEMO && upstream.key === undefined && caller.key === undefined) {
    throw new ApiError(
      "authentication_error",
      `x-api-key header is required: upstream "${upstream.name}" has no key of its own (model "demo/echo" needs none)`,
    );
  }
  checkModel(route, catalogue.known(upstream).map(({ id }) => id));
  return route;
}

/** Names the upstream and the model, in characters that a header may hold. */
export function toHeaderName({ upstream, model }: Route): string {
  return `${upstream.name}/${model}`.toWellFormed().replace(/[^\w./:@~+-]/gu, encodeURIComponent);
}
