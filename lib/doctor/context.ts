import type { Access } from "../access/access.ts";
import type { McpServer } from "../config/mcp/mcp_config.ts";
import type { Config } from "../config/settings.ts";
import type { MessageContext } from "../turns/context.ts";
import type { UpstreamChecks } from "../upstreams/upstream_check.ts";

/** The parts of a gateway that are checked. */
export interface DoctorContext extends MessageContext {
  /** The settings, without the gateway's keys. */
  config: Omit<Config, "gatewayApiKeys" | "gatewayAdminKey">;
  access: Access;
  upstreamChecks: UpstreamChecks;
  mcpServers: readonly McpServer[];
  /** What writes files: errors, bodies and recordings. */
  operations: { errors: Writer; bodies?: Writer | undefined; recordings?: Writer | undefined };
}

/** Something that writes files. */
interface Writer {
  /** Why it cannot write them. */
  readonly failure: string | undefined;
}
