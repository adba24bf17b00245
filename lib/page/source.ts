import type { Access } from "../access/access.ts";
import type { Caller } from "../access/caller.ts";
import type { McpServer } from "../config/mcp/mcp_config.ts";
import type { SettingsInForce } from "../config/describe.ts";
import type { Config } from "../config/settings.ts";
import type { Ledger } from "../limits/ledger/ledger.ts";
import type { Limiter } from "../limits/limiter.ts";
import type { BodyLog } from "../observability/body_log.ts";
import type { Counters } from "../observability/counters.ts";
import type { ErrorStore } from "../observability/errors/error_store.ts";
import type { Traffic } from "../observability/traffic/traffic.ts";
import type { PrivateFolder } from "../runtime/private_files.ts";
import type { MessageContext } from "../turns/context.ts";
import type { UpstreamChecks } from "../upstreams/upstream_check.ts";

/** What the page shows: the parts of the gateway that its views read. */
export interface PageSource extends MessageContext {
  config: Omit<Config, "gatewayApiKeys" | "gatewayAdminKey">;
  settings: SettingsInForce;
  access: Access;
  operations: {
    counters: Counters;
    errors: ErrorStore;
    traffic: Traffic;
    bodies: BodyLog | undefined;
    recordings: PrivateFolder | undefined;
  };
  upstreamChecks: UpstreamChecks;
  limits: Limiter;
  ledger: Ledger;
  mcpServers: readonly McpServer[];
}

/** What the page can do to a managed MCP server. */
export type ServerAction = "start" | "stop" | "restart";

/** What the page's endpoints need of the server that answers HTTP. */
export interface PageServer {
  /**
   * Reads the body of a form, of at most 1 MiB.
   *
   * @throws {ApiError} `request_too_large`, `timeout_error`, or `invalid_request_error` if it is incomplete.
   */
  readForm(call: PageCall): Promise<string>;
  /**
   * Starts, stops or restarts a managed MCP server.
   *
   * @throws {ApiError} `not_found_error`, `conflict_error`, `api_error`
   */
  operateServer(source: PageSource, name: string, action: ServerAction): Promise<void>;
}

/** A request for the page. */
export interface PageCall {
  request: Request;
  gateway: PageSource;
  requestLog: {
    caller: Caller;
    streaming: boolean;
    end(outcome: "finished", status: number): void;
  };
  params: Readonly<Record<string, string>>;
}

/** An endpoint of the page. It checks its callers itself. */
export interface PageRoute {
  method: "GET" | "POST";
  path: string;
  access: "page";
  answer(call: PageCall): Response | Promise<Response>;
}
