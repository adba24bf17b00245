import type { SearchQuery } from "../../tools/models.ts";
import type { Scene, Toolbox } from "../../tools/toolbox/toolbox.ts";
import type { CustomTool, TypedTool } from "../anthropic/schema.ts";
import type { LossReport } from "../dialects/loss.ts";
import type { Route } from "../upstreams/resolve.ts";
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
  route: Pick<Route, "dialect" | "upstream">;
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
  if (isRunUpstream(tool, options.route)) return undefined;
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

function toSearch(web: Toolbox | undefined, { scene, route: { upstream } }: TypedOptions) {
  if (web !== undefined) {
    return (query: SearchQuery, { id, input }: ServerCall) =>
      web.act({ id, name: "WebSearch", input }, scene, (host) => host.web.search(query));
  }
  const { search } = scene.models;
  const searches = upstream.preset === "openrouter" && upstream.fetch === undefined;
  return searches ? (query: SearchQuery) => search(query, scene.signal) : undefined;
}

/** Whether the upstream runs a tool of Anthropic's itself. */
function isRunUpstream({ type }: TypedTool, { dialect, upstream }: TypedOptions["route"]): boolean {
  if (dialect.name !== "anthropic") return false;
  // OpenRouter's own endpoint takes Anthropic's search of the web, and no other of its server tools.
  return upstream.preset === "anthropic" || (upstream.preset === "openrouter" && /^web_search_/.test(type));
}

/** The fields of Anthropic's web tools that mean the same here. */
const SERVED = new Set([
  ...["type", "name", "max_uses", "allowed_domains", "blocked_domains", "max_content_tokens"],
  // Whoever may call it, it is the model that does; and nothing here is kept for later.
  ...["allowed_callers", "cache_control", "use_cache", "defer_loading"],
]);
