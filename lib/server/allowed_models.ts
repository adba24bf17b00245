import type { Caller } from "../access/caller.ts";
import type { MessagesRequest } from "../anthropic/schema.ts";
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
  gateway: Models,
  route: Pick<Route, "alias" | "model" | "upstream" | "fallbacks">,
  { client }: Caller,
): void {
  if (!isRouteAllowed(gateway, route, client)) throw forbiddenError(route.alias, client);
}

/** True if a key may use an alias, or else each model that may answer for it. */
function isRouteAllowed(
  { access, directory }: Models,
  route: Pick<Route, "alias" | "model" | "upstream" | "fallbacks">,
  client: string,
): boolean {
  return [route, ...route.fallbacks].every((target) =>
    access.models.allows(client, routeNames(target, directory))
  );
}

/**
 * Rejects models beside `model` that an upstream could answer with: those of OpenRouter's `models` and `preset`, of
 * fallbacks, and of tools such as Anthropic's `advisor`.
 *
 * @throws {ApiError} `permission_error`
 */
export function assertOtherModelsAllowed(gateway: Models, body: MessagesRequest, caller: Caller): void {
  const { preset, tools } = body;
  const listed = LISTS_OF_MODELS.flatMap((field) => body[field] ?? []);
  const presets = typeof preset === "string" ? [`@preset/${preset}`] : [];
  for (const entry of [...listed, ...presets, ...tools ?? []]) {
    // A tool has a model only in a field of this name.
    const name = isObject(entry) ? entry["model"] : entry;
    if (typeof name === "string") assertModelAllowed(gateway, resolveModel(name, gateway.directory), caller);
  }
}

/** Fields of a request that list further models. Source: https://openrouter.ai/docs/features/model-routing */
const LISTS_OF_MODELS = ["models", "fallbacks", "fallback_models"] as const;

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
