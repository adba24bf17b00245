import { parseMessagesRequest } from "../../anthropic/parse.ts";
import { findRoute } from "../../upstreams/find_route.ts";
import { resolveModel } from "../../upstreams/resolve.ts";
import { assertModelAllowed, assertOtherModelsAllowed } from "../allowed_models.ts";
import type { GatewayContext } from "../context.ts";
import { applyRequestHook, type HookContext } from "../hooks.ts";
import type { RequestLog } from "../request_log/request_log.ts";

/**
 * Rejects a repeat that would receive a kept answer, if the key may not use its models any more, or the hook refuses
 * it.
 *
 * @throws {ApiError} `permission_error`, or the error of the hook.
 */
export async function assertRepeatAllowed(
  body: unknown,
  { gateway, requestLog: { caller }, hookCall }: {
    gateway: GatewayContext;
    requestLog: RequestLog;
    hookCall: HookContext;
  },
): Promise<void> {
  const message = await applyRequestHook(parseMessagesRequest(body), hookCall);
  // A kept answer is still returned if its upstream does not list the model any more.
  const route = await findRoute(gateway, message.model, caller).catch(() =>
    resolveModel(message.model, gateway.directory)
  );
  assertModelAllowed(gateway, route, caller);
  assertOtherModelsAllowed(gateway, message, { route, caller });
}
