import type { Caller } from "../access/caller.ts";
import { ApiError } from "../base/errors.ts";
import { isObject } from "../base/json.ts";
import { quote } from "../base/redact.ts";
import { resolveModel, routeNames } from "../upstreams/resolve.ts";
import type { Route } from "../upstreams/upstream.ts";
import type { GatewayContext } from "./context.ts";

/** The parts of a gateway that decide about models. */
type Models = Pick<GatewayContext, "access" | "directory">;

/**
 * Rejects a model that the key of the caller may not use.
 *
 * @throws {ApiError} `permission_error`
 */
export function assertModelAllowed(
  { access, directory }: Models,
  route: Pick<Route, "alias" | "model" | "upstream">,
  { client }: Caller,
): void {
  if (!access.models.allows(client, routeNames(route, directory))) throw forbiddenError(route.alias, client);
}

/**
 * Rejects models beside `model` that an upstream could answer with, such as OpenRouter's `models`.
 *
 * @throws {ApiError} `permission_error`
 */
export function assertOtherModelsAllowed(gateway: Models, body: object, caller: Caller): void {
  for (const [field, value] of Object.entries(body)) {
    if (!OTHER_MODELS.has(field) || !Array.isArray(value)) continue;
    for (const entry of value) {
      const name = isObject(entry) ? entry["model"] : entry;
      if (typeof name === "string") {
        assertModelAllowed(gateway, resolveModel(name, gateway.directory), caller);
      }
    }
  }
}

/** Fields of a request that list further models. Source: https://openrouter.ai/docs/features/model-routing */
const OTHER_MODELS: ReadonlySet<string> = new Set(["models", "fallbacks", "fallback_models"]);

/** Returns the names that the caller may use. */
export function isModelListed({ access, directory }: Models, id: string, { client }: Caller): boolean {
  return access.models.allows(client, routeNames(resolveModel(id, directory), directory));
}

function forbiddenError(model: string, client: string): ApiError {
  return new ApiError(
    "permission_error",
    `Cannot use model ${quote(model)}: the key ${quote(client)} is not allowed to use it`,
  );
}
