import { ownerOf } from "../../access/owner.ts";
import { ApiError } from "../../base/errors.ts";
import type { Batch } from "../../durable/batch_store.ts";
import type { BatchServices, GatewayContext } from "../context.ts";
import type { RoutedCall } from "../routing/routed_call.ts";

/** Returns the batches of the gateway. @throws {ApiError} `not_found_error` without a store. */
export function requireBatches({ batches }: GatewayContext): BatchServices {
  if (batches !== undefined) return batches;
  throw new ApiError(
    "not_found_error",
    "Cannot use message batches: the gateway has no DATA_DIR and no DATA_URL to keep them in",
  );
}

/**
 * Admits a request about a batch, and finds the batch of its path among those of the caller's key.
 *
 * @throws {ApiError} `not_found_error` if the key has no such batch.
 */
export async function findBatch(
  { gateway, requestLog: { caller }, params: { id = "" } }: RoutedCall,
): Promise<BatchServices & { batch: Batch; owner: string }> {
  const services = requireBatches(gateway);
  await gateway.limits.admitMetadataRequest(caller);
  const owner = await ownerOf(caller);
  services.runner.wake(owner, caller);
  const batch = await services.store.find(owner, id);
  if (batch !== undefined) return { ...services, batch, owner };
  throw new ApiError("not_found_error", `Cannot find batch ${JSON.stringify(id.slice(0, 100))}`);
}
