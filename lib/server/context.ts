import type { Access } from "../access/access.ts";
import type { Config } from "../config/settings.ts";
import type { BodyMeter } from "../limits/body_meter.ts";
import type { Limiter } from "../limits/limiter.ts";
import type { Shutdown } from "../runtime/shutdown.ts";
import type { Hooks } from "./hooks.ts";
import type { Operations } from "./operator/operations.ts";
import type { UpstreamChecks } from "../upstreams/upstream_check.ts";
import type { OpenCalls } from "./mcp_server/open_calls.ts";
import type { MessageContext } from "../turns/context.ts";

/** Dependencies of the endpoints. */
export interface GatewayContext extends MessageContext {
  /** The settings, without the gateway's keys. Only `access` holds those, as digests. */
  config: Omit<Config, "gatewayApiKeys" | "gatewayAdminKey">;
  access: Access;
  operations: Operations;
  upstreamChecks: UpstreamChecks;
  shutdown: Shutdown;
  limits: Limiter;
  /** Functions of the embedding program. */
  hooks: Hooks;
  /** Counts the request bodies that are in memory. */
  bodies: BodyMeter;
  /** Calls of MCP clients that run, and sessions that have ended. */
  mcpCalls: OpenCalls;
}
