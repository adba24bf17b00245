import type { SearchQuery } from "../../tools/models.ts";
import type { CallRunner, ToolContext } from "../../tools/toolbox/call_runner.ts";
import type { Toolbox } from "../../tools/toolbox/toolbox.ts";
import type { CustomTool, TypedTool } from "../anthropic/schema.ts";
import { isObject } from "../base/json.ts";
import type { LossReport } from "../dialects/loss.ts";
import type { ServerCall, ServerTool } from "./server_tool.ts";
import { isToolSearch, toToolSearch } from "./tool_search.ts";
import { isWebFetch, toWebFetch } from "./web_fetch.ts";
import { isWebSearch, toWebSearch } from "./web_search.ts";

/** Options that decide where Anthropic's server tools run. */
export interface TypedToolOptions {
  /** Undefined if the operator has not enabled tools. */
  toolbox: Toolbox | undefined;
  /** Loads the limits that all calls run in, also those that need no toolbox. */
  loadCallRunner(): Promise<CallRunner>;
  /** Web searches of a message whose request has no `max_uses`. */
  searchMaxUses: number;
  toolContext: ToolContext;
  /** Collects fields of a tool that are not supported. */
  loss: LossReport;
  /** Milliseconds since 1970. */
  now(): number;
  upstream: UpstreamTools;
}

/** Server tools that the upstream runs itself. */
export interface UpstreamTools {
  /** True if it runs this tool itself. */
  runs(tool: TypedTool): boolean;
  /** True if it connects to the servers in `mcp_servers` itself. */
  connectsMcp: boolean;
  /** True if it accepts additions and removals of tools within the messages. */
  takesToolChanges: boolean;
  /** True if it has a web search for any model. */
  searchesWeb: boolean;
}

/** Other tools of the request. Call only after all tools are assigned. */
export interface OtherTools {
  deferred(): readonly CustomTool[];
  /** Names of the gateway's own tools in the request. */
  workspaceToolNames(): readonly string[];
  /** Names of the tools of MCP servers, as the model uses them. */
  mcpToolNames(): readonly string[];
}

/**
 * Creates the gateway's implementation of one of Anthropic's server tools.
 *
 * Returns `undefined` if the upstream runs the tool, or the gateway cannot. Tool search is always available. Web tools
 * need the tool group `network`; without it, web search uses the upstream's search, which OpenRouter has.
 *
 * @throws {ApiError} `invalid_request_error` for invalid domain lists.
 */
export function toTypedTool(
  tool: TypedTool,
  path: string,
  options: TypedToolOptions & OtherTools,
): ServerTool | undefined {
  if (options.upstream.runs(tool)) return undefined;
  if (isToolSearch(tool)) return withCacheControl(toToolSearch(tool, path, options.deferred), tool);
  const { toolbox, toolContext, loss, now } = options;
  const webToolbox = toolbox?.tools.some(({ group }) => group === "network") ? toolbox : undefined;
  const search = isWebSearch(tool) ? createSearch(webToolbox, options) : undefined;
  const isFetch = isWebFetch(tool) && webToolbox !== undefined;
  if (search === undefined && !isFetch) return undefined;
  const unsupported = Object.keys(tool).filter((field) => !SUPPORTED_FIELDS.has(field));
  for (const field of unsupported) loss.add(`${path}.${field}`, "dropped");
  if (search !== undefined) {
    const { signal } = toolContext;
    const webSearch = toWebSearch(tool, path, { search, signal, defaultMaxUses: options.searchMaxUses });
    return withCacheControl(webSearch, tool);
  }
  if (webToolbox === undefined) return undefined;
  const fetchOptions = {
    toolbox: webToolbox,
    toolContext,
    workspaceToolNames: options.workspaceToolNames,
    mcpToolNames: options.mcpToolNames,
    now,
  };
  return withCacheControl(toWebFetch(tool, path, fetchOptions), tool);
}

/** Keeps the cache breakpoint of a typed tool in the definition that the model gets. */
export function withCacheControl(server: ServerTool, { cache_control }: TypedTool): ServerTool {
  if (!isObject(cache_control) || cache_control.type !== "ephemeral") return server;
  const definition = {
    ...server.definition,
    cache_control: { ...cache_control, type: "ephemeral" as const },
  };
  return { ...server, definition };
}

/** Returns the search of the operator's service or of the upstream. Both run within the limits of tools. */
function createSearch(
  webToolbox: Toolbox | undefined,
  { toolContext, upstream, loadCallRunner }: TypedToolOptions,
) {
  const toCall = ({ id, input }: ServerCall) => ({ id, name: "WebSearch", input });
  if (webToolbox !== undefined) {
    return (query: SearchQuery, call: ServerCall) =>
      webToolbox.runWithHost(toCall(call), toolContext, (host) => host.web.search(query));
  }
  if (!upstream.searchesWeb) return undefined;
  return async (query: SearchQuery, call: ServerCall) => {
    const runner = await loadCallRunner();
    return await runner.run(toCall(call), toolContext, ({ models, signal }) => models.search(query, signal));
  };
}

/** Fields of Anthropic's web tools that the gateway supports or can ignore. */
const SUPPORTED_FIELDS = new Set([
  ...["type", "name", "max_uses", "allowed_domains", "blocked_domains", "max_content_tokens"],
  // Ignored: only the model calls the tool here, and the gateway caches no results.
  ...["allowed_callers", "cache_control", "use_cache", "defer_loading"],
]);
