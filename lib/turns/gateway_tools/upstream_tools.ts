import { appliesSystemChanges, hostFacts, runsServerTool } from "../../dialects/mod.ts";
import type { UpstreamTools } from "../../server_tools/typed_tools.ts";
import type { Route } from "../../upstreams/upstream.ts";

/** Returns which of Anthropic's server tools the upstream of a route runs itself. */
export function upstreamTools({ dialect, upstream: { preset } }: Route): UpstreamTools {
  return {
    runs: ({ type }) => runsServerTool(preset, dialect, type),
    connectsMcp: runsServerTool(preset, dialect, "mcp_toolset"),
    takesToolChanges: appliesSystemChanges(preset, dialect),
    searchesWeb: hostFacts(preset).searchesWeb,
  };
}
