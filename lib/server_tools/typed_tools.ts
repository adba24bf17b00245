import type { SearchQuery } from "../../tools/models.ts";
import type { Scene, Toolbox } from "../../tools/toolbox/toolbox.ts";
import type { CustomTool, TypedTool } from "../anthropic/schema.ts";
import type { LossReport } from "../dialects/loss.ts";
import type { ServerCall, ServerTool } from "./server_tool.ts";
import { isToolSearch, toToolSearch } from "./tool_search.ts";
import { isWebFetch, toWebFetch } from "./web_fetch.ts";
import { isWebSearch, toWebSearch } from "./web_search.ts";

/** What decides who runs a tool of Anthropic's. */
export interface TypedOptions {
  /** Missing where the owner has not switched tools on. */
  toolbox: Toolbox | undefined;
  scene: Scene;
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
export interface Neighbours {
  deferred(): readonly CustomTool[];
  /** The names of the gateway's own. */
  own(): readonly string[];
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
  options: TypedOptions & Neighbours,
): ServerTool | undefined {
  if (options.upstream.runs(tool)) return undefined;
  if (isToolSearch(tool)) return toToolSearch(tool, path, options.deferred);
  const { toolbox, scene, loss, now } = options;
  const web = toolbox?.tools.some(({ group }) => group === "network") ? toolbox : undefined;
  const search = isWebSearch(tool) ? toSearch(web, options) : undefined;
  const fetches = isWebFetch(tool) && web !== undefined;
  if (search === undefined && !fetches) return undefined;
  const strange = Object.keys(tool).filter((field) => !SERVED.has(field));
  for (const field of strange) loss.add(`${path}.${field}`, "dropped");
  if (search !== undefined) return toWebSearch(tool, path, { search, signal: scene.signal });
  return web && toWebFetch(tool, path, { toolbox: web, scene, own: options.own, now });
}

function toSearch(web: Toolbox | undefined, { scene, upstream }: TypedOptions) {
  if (web !== undefined) {
    return (query: SearchQuery, { id, input }: ServerCall) =>
      web.act({ id, name: "WebSearch", input }, scene, (host) => host.web.search(query));
  }
  const { search } = scene.models;
  return upstream.searchesWeb ? (query: SearchQuery) => search(query, scene.signal) : undefined;
}

/** The fields of Anthropic's web tools that mean the same here. */
const SERVED = new Set([
  ...["type", "name", "max_uses", "allowed_domains", "blocked_domains", "max_content_tokens"],
  // Whoever may call it, it is the model that does; and nothing here is kept for later.
  ...["allowed_callers", "cache_control", "use_cache", "defer_loading"],
]);
