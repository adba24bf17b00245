/** Import rules of a room. A pure room has no network, time, randomness or console; `except` names its impure files. */
export interface Room {
  /** Names of rooms, separated by spaces. */
  uses: string;
  pure?: boolean;
  except?: readonly string[];
}

/**
 * The rooms, from the top floor down: `mod.ts`, the folders of `lib/` (without its name), the folders of `tools/`.
 * A file belongs to the room with the longest name that fits.
 */
export const ROOMS: Record<string, Room> = {
  "mod.ts": { uses: "cli gateway.ts server anthropic config runtime" },
  "worker.ts": { uses: "gateway.ts config observability runtime base" },
  "cli": { uses: "doctor replay claude_code config observability runtime base" },
  "doctor": {
    uses: "turns upstreams dialects access durable anthropic config runtime base tools/toolbox",
  },
  "replay": { uses: "anthropic config observability runtime base" },
  "gateway.ts": { uses: "page server server/mcp_server keys durable config runtime base" },
  "page": {
    uses:
      "replay turns upstreams tokens dialects/mod.ts dialects access limits/ledger limits anthropic config observability runtime base tools/toolbox tools/mcp/managed",
  },
  "server": {
    uses:
      "server/mcp_server turns server_tools upstreams tokens dialects/mod.ts dialects access keys limits/ledger limits durable claude_code anthropic config observability runtime base tools/mcp/managed",
  },
  "server/mcp_server": {
    uses:
      "server turns upstreams access limits config observability runtime base tools/toolbox tools/call.ts",
  },
  "turns": {
    uses:
      "server_tools upstreams tokens dialects/mod.ts dialects access anthropic json_schema config observability runtime base tools/mod.ts tools/toolbox tools/mcp tools/models.ts tools/call.ts tools/mcp/managed",
  },
  "server_tools": {
    uses:
      "dialects/anthropic dialects anthropic base tools/toolbox tools/host tools/mcp tools/models.ts tools/call.ts",
    pure: true,
  },
  "upstreams": { uses: "dialects/mod.ts dialects access config runtime base" },
  "tokens": { uses: "dialects/mod.ts anthropic runtime base", pure: true },
  "dialects/mod.ts": { uses: "dialects/hosts.ts dialects/known_adjustments.ts dialects", pure: true },
  "dialects/known_adjustments.ts": { uses: "dialects config", pure: true },
  "dialects/hosts.ts": {
    uses: "dialects/presets.ts dialects/anthropic dialects/openai dialects/responses dialects config base",
    pure: true,
  },
  "dialects/presets.ts": { uses: "dialects/openai dialects/responses config", pure: true },
  "dialects/anthropic": { uses: "dialects anthropic base", pure: true },
  "dialects/openai": { uses: "dialects anthropic json_schema base", pure: true },
  "dialects/responses": { uses: "dialects anthropic json_schema base", pure: true },
  "dialects": { uses: "anthropic json_schema base", pure: true },
  "access": { uses: "config base" },
  "keys": { uses: "access config observability runtime base" },
  "limits": {
    uses: "limits/ledger config observability runtime base",
    pure: true,
    except: ["limiter", "memory_store", "redis_store", "spend_file"],
  },
  "limits/ledger": { uses: "config observability runtime base" },
  "durable": { uses: "anthropic config observability runtime base" },
  "claude_code": { uses: "base", pure: true },
  "anthropic": { uses: "base", pure: true },
  "json_schema": { uses: "base", pure: true },
  "config": { uses: "base tools/call.ts tools/mcp/managed/server_config.ts", pure: true },
  "observability": { uses: "runtime base tools/toolbox tools/mcp/managed" },
  "runtime": { uses: "base" },
  "base": { uses: "", pure: true },
  "tools/mod.ts": {
    uses:
      "tools/create_host.ts tools/toolbox tools/files tools/shell tools/web tools/planning tools/tool.ts tools/host tools/policy tools/clock.ts tools/call.ts",
  },
  "tools/create_host.ts": { uses: "tools/tool.ts tools/host tools/policy tools/clock.ts" },
  "tools/toolbox": {
    uses:
      "tools/tool.ts tools/session.ts tools/abort.ts tools/errors.ts tools/models.ts tools/clock.ts tools/call.ts",
  },
  "tools/files": {
    uses:
      "tools/tool.ts tools/host tools/patterns tools/formats tools/session.ts tools/errors.ts tools/call.ts",
    pure: true,
  },
  "tools/shell": { uses: "tools/tool.ts tools/host tools/policy tools/errors.ts", pure: true },
  "tools/web": { uses: "tools/tool.ts tools/host tools/models.ts", pure: true },
  "tools/planning": { uses: "tools/tool.ts tools/session.ts tools/errors.ts", pure: true },
  "tools/tool.ts": {
    uses: "tools/host tools/session.ts tools/errors.ts tools/models.ts tools/call.ts",
    pure: true,
  },
  "tools/mcp/managed/server_config.ts": { uses: "", pure: true },
  "tools/mcp/managed": {
    uses: "tools/mcp/managed/server_config.ts tools/mcp tools/errors.ts tools/clock.ts tools/abort.ts",
  },
  "tools/mcp": { uses: "tools/host tools/policy tools/abort.ts tools/errors.ts tools/call.ts" },
  "tools/host": {
    uses: "tools/policy tools/patterns tools/abort.ts tools/errors.ts tools/models.ts tools/clock.ts",
  },
  "tools/policy": { uses: "tools/errors.ts tools/call.ts", pure: true },
  "tools/patterns": { uses: "tools/errors.ts", pure: true },
  "tools/formats": { uses: "tools/errors.ts tools/call.ts", pure: true },
  "tools/session.ts": { uses: "tools/errors.ts", pure: true },
  "tools/abort.ts": { uses: "", pure: true },
  "tools/errors.ts": { uses: "", pure: true },
  "tools/models.ts": { uses: "", pure: true },
  "tools/clock.ts": { uses: "" },
  "tools/call.ts": { uses: "", pure: true },
};

/** Writes the rooms as the table of docs/architecture.md. */
export function writeRoomsTable(): string {
  const rows = Object.entries(ROOMS).map(([name, { uses, pure = false, except = [] }]) => {
    const purity = !pure ? "" : except.length === 0 ? "yes" : `except ${except.map(quote).join(", ")}`;
    const imports = uses === "" ? "nothing" : uses.split(" ").map(quote).join(", ");
    return `| ${quote(name)} | ${imports} | ${purity} |`;
  });
  return ["| room | may import | pure |", "| --- | --- | --- |", ...rows].join("\n");
}

function quote(name: string): string {
  return `\`${name}\``;
}
