import type { Stores } from "../../durable/stores.ts";
import type { GatewayContext } from "../context.ts";

/** What a job is done with. */
export interface JobContext {
  /** The gateway with the settings in force. */
  gateway: GatewayContext;
  stores: Pick<Stores, "answers" | "queue">;
  /** Aborted when the engine waits for the job no more, and may have it done elsewhere. */
  signal: AbortSignal;
}
