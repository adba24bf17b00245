import type { Stores } from "../../durable/stores.ts";
import type { GatewayContext } from "../context.ts";

/** What a job is done with. */
export interface JobContext {
  /** The gateway with the settings in force. */
  gateway: GatewayContext;
  stores: Pick<Stores, "answers" | "queue">;
  /** Aborted when the engine no longer waits for the job, which may then run in another gateway. */
  signal: AbortSignal;
}
