import { isObject, type JsonObject } from "../base/json.ts";
import { isTool, type Tool } from "./schema.ts";

/** A tool and its path in the client's request. */
export interface LocatedTool {
  tool: Tool;
  path: string;
}

/** A change of the tools: a `tool_addition` or `tool_removal` block, and its path. */
export interface ToolChange {
  block: JsonObject;
  path: string;
}

/** The tools of a conversation, in order, while its changes are applied. Each change takes constant time. */
export class ToolSet {
  /** Tools that are offered, by key. */
  readonly #offered = new Map<string, LocatedTool>();
  /** Every tool so far, by key, so that a removed one can come back. */
  readonly #known = new Map<string, LocatedTool>();
  /** Changed configurations of the tools of MCP servers, by key of the toolset and name. */
  readonly #configs = new Map<string, Map<string, JsonObject>>();

  constructor(tools: readonly Tool[]) {
    tools.forEach((tool, at) => {
      const key = keyOf(tool);
      const free = key !== undefined && !this.#offered.has(key);
      this.#put(free ? key : `at ${at}`, { tool, path: `tools.${at}` });
    });
  }

  /** Tools that are offered after the changes so far. */
  get tools(): LocatedTool[] {
    return [...this.#offered].map(([key, { tool, path }]) => {
      const configs = this.#configs.get(key);
      return configs === undefined
        ? { tool, path }
        : { tool: { ...tool, configs: Object.fromEntries(configs) }, path };
    });
  }

  /** Applies a change. Returns false if it names no known tool, or has another form. */
  apply({ block: { type, tool }, path }: ToolChange): boolean {
    if (!isObject(tool)) return false;
    if (type === "tool_addition" && tool.type === "tool_definition") {
      const { definition } = tool;
      const key = isTool(definition) ? keyOf(definition) : undefined;
      if (key === undefined || !isTool(definition)) return false;
      this.#put(key, { tool: definition, path: `${path}.tool.definition` });
      return true;
    }
    const key = keyOfReference(tool);
    const known = key === undefined ? undefined : this.#known.get(key);
    if (key === undefined || known === undefined) return false;
    if (tool.type === "mcp_tool_reference") {
      return this.#configure(key, known, { name: tool.name, enabled: type === "tool_addition" });
    }
    if (type === "tool_removal") return this.#offered.delete(key);
    const { defer_loading: _deferred, ...loaded } = known.tool;
    this.#put(key, { tool: isTool(loaded) ? loaded : known.tool, path: known.path });
    return true;
  }

  #put(key: string, tool: LocatedTool): void {
    this.#offered.set(key, tool);
    this.#known.set(key, tool);
  }

  #configure(
    key: string,
    { tool: { configs } }: LocatedTool,
    { name, enabled }: { name: unknown; enabled: boolean },
  ): boolean {
    if (typeof name !== "string") return false;
    const all = this.#configs.get(key) ??
      new Map(Object.entries(isObject(configs) ? configs : {}).filter(isConfig));
    this.#configs.set(key, all);
    all.set(name, { ...all.get(name), enabled, ...(enabled && { defer_loading: false }) });
    return true;
  }
}

/** Returns what references name a tool by. */
function keyOf({ type, name, mcp_server_name: server }: JsonObject): string | undefined {
  if (type === "mcp_toolset") return typeof server === "string" ? `server ${server}` : undefined;
  return typeof name === "string" ? `name ${name}` : undefined;
}

function keyOfReference({ type, name, server_name: server }: JsonObject): string | undefined {
  if (type === "tool_reference") return `name ${name}`;
  const isOfServer = type === "mcp_tool_reference" || type === "mcp_toolset_reference";
  return isOfServer ? `server ${server}` : undefined;
}

function isConfig(entry: [name: string, config: unknown]): entry is [string, JsonObject] {
  return isObject(entry[1]);
}
