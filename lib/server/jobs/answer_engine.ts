import { ApiError } from "../../base/errors.ts";
import type { RoutedCall } from "../routed_call.ts";

/**
 * Answers a request of the durable engine, which checks its signature.
 *
 * @throws {ApiError} `not_found_error` without an engine that sends requests.
 */
export async function answerEngine({ request, gateway: { engine } }: RoutedCall): Promise<Response> {
  if (engine?.answer !== undefined) return await engine.answer(request);
  throw new ApiError("not_found_error", "Cannot use the endpoint: RESTATE_INGRESS_URL is not set");
}
