import type { SearchQuery } from "../../tools/models.ts";
import type { Toolbox, ToolContext } from "../../tools/toolbox/toolbox.ts";
import type { CustomTool, TypedTool } from "../anthropic/schema.ts";
import type { LossReport } from "../dialects/loss.ts";
import type { ServerCall, ServerTool } from "./server_tool.ts";
import { isToolSearch, toToolSearch } from "./tool_search.ts";
import { isWebFetch, toWebFetch } from "./web_fetch.ts";
import { isWebSearch, toWebSearch } from "./web_search.ts";

/** What decides who runs a tool of Anthropic's. */
export interface TypedToolOptions {
  /** Missing where the owner has not switched tools on. */
  toolbox: Toolbox | undefined;
  toolContext: ToolContext;
  /** Takes note of what of a tool cannot be done here. */
  loss: LossReport;
  /** Milliseconds since 1970. */
  now(): number;
  upstream: UpstreamTools;
}

/** What the upstream of a turn does by itself. */
export interface UpstreamTools {
  /** True if it runs this tool itself. */
  runs(tool: TypedTool): boolean;
  /** True if it has a web search for any model. */
  searchesWeb: boolean;
}

/** The other tools of a request, known when the first of them runs. */
export interface OtherTools {
  deferred(): readonly CustomTool[];
  /** The names of the gateway's own. */
  gatewayToolNames(): readonly string[];
}

/**
 * Gives a tool that Anthropic's API runs itself, where the gateway has to and can: the search for tools always, the web
 * where the owner has switched it on. OpenRouter's own search of the web needs no switch: it is the upstream's.
 *
 * @throws {ApiError} `invalid_request_error` for lists of domains that cannot be.
 */
export function toTypedTool(
  tool: TypedTool,
  path: string,
  options: TypedToolOptions & OtherTools,
): ServerTool | undefined {
  if (options.upstream.runs(tool)) return undefined;
  if (isToolSearch(tool)) return toToolSearch(tool, path, options.deferred);
  const { toolbox, toolContext, loss, now } = options;
  const webToolbox = toolbox?.tools.some(({ group }) => group === "network") ? toolbox : undefined;
  const search = isWebSearch(tool) ? createSearch(webToolbox, options) : undefined;
  const isFetch = isWebFetch(tool) && webToolbox !== undefined;
  if (search === undefined && !isFetch) return undefined;
  const unsupported = Object.keys(tool).filter((field) => !SUPPORTED_FIELDS.has(field));
  for (const field of unsupported) loss.add(`${path}.${field}`, "dropped");
  if (search !== undefined) return toWebSearch(tool, path, { search, signal: toolContext.signal });
  return webToolbox &&
    toWebFetch(tool, path, {
      toolbox: webToolbox,
      toolContext,
      gatewayToolNames: options.gatewayToolNames,
      now,
    });
}

function createSearch(webToolbox: Toolbox | undefined, { toolContext, upstream }: TypedToolOptions) {
  if (webToolbox !== undefined) {
    return (query: SearchQuery, { id, input }: ServerCall) =>
      webToolbox.runWithHost({ id, name: "WebSearch", input }, toolContext, (host) => host.web.search(query));
  }
  const { search } = toolContext.models;
  return upstream.searchesWeb ? (query: SearchQuery) => search(query, toolContext.signal) : undefined;
}

/** The fields of Anthropic's web tools that mean the same here. */
const SUPPORTED_FIELDS = new Set([
  ...["type", "name", "max_uses", "allowed_domains", "blocked_domains", "max_content_tokens"],
  // Whoever may call it, it is the model that does; and nothing here is kept for later.
  ...["allowed_callers", "cache_control", "use_cache", "defer_loading"],
]);
