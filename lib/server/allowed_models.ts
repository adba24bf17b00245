import type { Caller } from "../access/caller.ts";
import type { MessagesRequest } from "../anthropic/schema.ts";
import { ApiError } from "../base/errors.ts";
import { quote } from "../base/redact.ts";
import { findRoute, type ModelLookup } from "../upstreams/find_route.ts";
import { modelName, resolveModel, resolveTarget, routeNames } from "../upstreams/resolve.ts";
import type { Route } from "../upstreams/upstream.ts";
import type { GatewayContext } from "./context.ts";
import { namedModels } from "./named_models.ts";

/** The parts of a gateway that decide about models. */
type Models = Pick<GatewayContext, "access" | "directory">;

/**
 * Rejects a model that the key of the caller may not use.
 *
 * @throws {ApiError} `permission_error`
 */
export function assertModelAllowed(
  gateway: Models,
  route: Pick<Route, "alias" | "model" | "upstream" | "fallbacks">,
  { client }: Caller,
): void {
  if (!isRouteAllowed(gateway, route, client)) throw forbiddenError(route.alias, client);
}

/**
 * Finds the route for a model that the key of the caller may use.
 *
 * @throws {ApiError} `permission_error` for any other model, also for one that no upstream has; the errors of
 * {@linkcode findRoute}.
 */
export async function findAllowedRoute(
  gateway: Models & ModelLookup,
  name: string,
  caller: Caller,
): Promise<Route> {
  let route: Route;
  try {
    route = await findRoute(gateway, name, caller);
  } catch (error) {
    assertModelAllowed(gateway, resolveModel(name, gateway.directory), caller);
    throw error;
  }
  assertModelAllowed(gateway, route, caller);
  return route;
}

/** True if a key may use an alias, or else each model that may answer for it. */
function isRouteAllowed(
  { access, directory }: Models,
  route: Pick<Route, "alias" | "model" | "upstream" | "fallbacks">,
  client: string,
): boolean {
  if (!access.models.restricts(client)) return true;
  return [route, ...route.fallbacks].every((target) =>
    access.models.allows(client, routeNames(target, directory))
  );
}

/**
 * Rejects models beside `model` that an upstream could answer with ({@linkcode namedModels}). They are models of each
 * upstream that the route may ask.
 *
 * @throws {ApiError} `permission_error`
 */
export function assertOtherModelsAllowed(
  { access, directory }: Models,
  body: MessagesRequest,
  { route, caller: { client } }: { route: Pick<Route, "upstream" | "fallbacks">; caller: Caller },
): void {
  if (!access.models.restricts(client)) return;
  const upstreams = new Set([route, ...route.fallbacks].map(({ upstream }) => upstream.name));
  for (const model of namedModels(body)) {
    for (const upstream of upstreams) {
      const name = modelName(resolveTarget(model, { model, upstream }, directory), directory);
      if (!access.models.allows(client, [name])) throw forbiddenError(name, client);
    }
  }
}

/** Returns true if the caller may use a model, which is then listed. */
export function isModelListed(gateway: Models, id: string, { client }: Caller): boolean {
  return isRouteAllowed(gateway, resolveModel(id, gateway.directory), client);
}

function forbiddenError(model: string, client: string): ApiError {
  return new ApiError(
    "permission_error",
    `Cannot use model ${quote(model)}: the key ${quote(client)} is not allowed to use it`,
  );
}
