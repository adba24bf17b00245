import type { Caller } from "../../access/caller.ts";
import { toApiError } from "../../base/errors.ts";
import type { Job } from "../../durable/engine.ts";
import type { KeptCaller } from "../kept_caller.ts";
import { type ItemEnd, runItem, toItemEnd } from "../batches/run_item.ts";
import type { JobContext } from "./job_context.ts";

/**
 * Answers a request of a batch and saves its result.
 *
 * @throws if this gateway is stopping, or if the store cannot be written.
 */
export async function doItemJob(
  { batch: number, nth, attempts }: Job & { kind: "item" },
  { gateway, stores: { queue }, signal }: JobContext,
): Promise<void> {
  const found = await queue.find({ batch: number, nth, attempts });
  if (found === undefined) return;
  const { item, batch } = found;
  const { caller: kept, headers }: KeptCaller = JSON.parse(batch.caller);
  const caller: Caller = { ...kept, owner: batch.owner };
  const end = await answer();
  const isCut = signal.aborted && !("result" in end && end.outcome === "succeeded");
  if (isCut) throw new Error("Cannot finish the request of a batch: the engine has given this attempt up");
  if ("result" in end) await queue.finish(item, { ...end, now: gateway.clock.now() });
  else if (end.attempts > attempts) await queue.release(item, end);
  else throw new Error("Cannot finish the request of a batch: the gateway is stopping");

  async function answer(): Promise<ItemEnd> {
    try {
      const admission = await gateway.limits.admit(caller);
      return await runItem(item, { gateway, batch, caller, headers, admission, signal });
    } catch (thrown) {
      const { clock } = gateway;
      return toItemEnd(toApiError(thrown), { attempts, now: clock.now(), requestId: gateway.newId("req_") });
    }
  }
}
