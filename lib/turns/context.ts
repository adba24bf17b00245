import type { Config } from "../config/settings.ts";
import type { Clock } from "../runtime/clock.ts";
import type { InputCounter } from "../tokens/input_counter.ts";
import type { Shutdown } from "../runtime/shutdown.ts";
import type { ToolLoaders } from "./load_tools.ts";
import type { ModelLookup } from "../upstreams/find_route.ts";
import type { LearnedAdjustments } from "./learned_adjustments.ts";

/** Dependencies of the turns: settings, and everything that has effects. */
export interface MessageContext extends ModelLookup, ToolLoaders {
  config: Pick<
    Config,
    | "coerceToolInput"
    | "firstByteTimeout"
    | "idleTimeout"
    | "mcpConnectors"
    | "mcpConnectTimeout"
    | "mcpResultChars"
    | "toolCallsInText"
    | "toolTurns"
    | "validation"
    | "webSearchMaxUses"
  >;
  /** The `fetch` that upstreams are called with. */
  fetch: typeof fetch;
  clock: Clock;
  shutdown: Pick<Shutdown, "onDeadline">;
  /** Returns an unguessable id with the given prefix. */
  newId(prefix: string): string;
  inputCounter: InputCounter;
  /** What refusals of upstreams have shown. */
  learned: LearnedAdjustments;
}
