import type { Access } from "../access/access.ts";
import type { Catalogue } from "../upstreams/model_cache.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Closing } from "../runtime/shutdown.ts";
import type { Config } from "../config/settings.ts";
import type { InputCounter } from "../tokens/input_counter.ts";
import type { Limiter } from "../limits/limiter.ts";
import type { Directory } from "../upstreams/resolve.ts";
import type { Toolbox } from "../../tools/toolbox/toolbox.ts";
import type { Counters } from "../observability/log.ts";

/** Everything the gateway's parts act through: what is set, and whatever is not pure. */
export interface Gateway {
  /** Without the gateway's own keys, which `access` alone knows, as digests. */
  config: Omit<Config, "gatewayApiKeys" | "gatewayAdminKey">;
  access: Access;
  /** How upstreams are reached. */
  fetch: typeof fetch;
  clock: Clock;
  newId(prefix: string): string;
  directory: Directory;
  catalogue: Catalogue;
  counters: Counters;
  closing: Closing;
  inputCounter: InputCounter;
  limits: Limiter;
  /** Gives the tools that the gateway runs, loaded when first asked for; missing where the owner has switched none on. */
  toolbox?: (() => Promise<Toolbox>) | undefined;
}
