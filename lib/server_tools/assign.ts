import { ApiError } from "../base/errors.ts";
import type { Toolbox } from "../../tools/toolbox/toolbox.ts";
import {
  type CustomTool,
  isCustomTool,
  type MessagesRequest,
  type Tool,
  type TypedTool,
} from "../anthropic/schema.ts";
import { WORKSPACE } from "../dialects/anthropic/gateway_tools.ts";
import { isObject } from "../base/json.ts";
import { type Slot, toDeferred } from "./plan.ts";
import { toTypedTool, type TypedOptions } from "./typed_tools.ts";
import { toWorkspaceTool } from "./workspace.ts";

/** What decides who runs a tool. */
export interface SlotOptions extends TypedOptions {
  wishes: Wishes;
}

/**
 * Decides for each tool of a request who runs it: the gateway runs its own, those of Anthropic's that the upstream
 * cannot run, and the client's where that is wished. The client's own tools go before the gateway's of the same name.
 *
 * @throws {ApiError} `invalid_request_error` where the request asks for tools of the gateway that there are not, or for
 * one of Anthropic's under the name of the client's own.
 */
export function toSlots(request: MessagesRequest, options: SlotOptions): Slot[] {
  const { wishes, scene } = options;
  const asked = [...(request.tools ?? []).entries()];
  const declared = new Set(asked.flatMap(([, tool]) => isCustomTool(tool) ? [tool.name] : []));
  const foreign = hasServer(request, WORKSPACE);
  const slots: Slot[] = asked.flatMap(([at, tool]) => toSlot(tool, `tools.${at}`));
  if (wishes.tools.length > 0) {
    const path = "header.x-gateway-tools";
    const toolbox = toOpenToolbox(options, path);
    slots.push(...pick(toolbox, toWished(wishes.tools, toolbox), path));
  }
  return withoutTwins(slots);

  function toSlot(tool: Tool, path: string): Slot[] {
    if (isCustomTool(tool)) return [toOwn(tool, path)];
    if (isToolset(tool) && !foreign) {
      return pick(toOpenToolbox(options, path), toConfigured(tool), path);
    }
    const neighbours = { deferred: () => toDeferred(slots), own: () => toWorkspaceNames(slots) };
    const server = toTypedTool(tool, path, { ...options, ...neighbours });
    if (server === undefined) return [{ tool, path }];
    if (!declared.has(server.offer.name)) return [{ server }];
    // Anthropic's own words: nobody could tell whose a call would be.
    throw new ApiError("invalid_request_error", "tools: Tool names must be unique.");
  }

  /** The client's own tool, which the gateway runs only where it is asked to. */
  function toOwn(tool: CustomTool, path: string): Slot {
    const toolbox = wishes.intercept ? toOpenToolbox(options, "header.x-gateway-tools-mode") : undefined;
    if (toolbox?.tools.some(({ name }) => name === tool.name) !== true) return { tool, path };
    const deferred = tool.defer_loading === true;
    return { server: toWorkspaceTool({ offer: tool, path, deferred }, { toolbox: toolbox, scene }) };
  }

  function pick(toolbox: Toolbox, choose: Choose, path: string): Slot[] {
    return toolbox.tools.filter(({ name }) => !declared.has(name)).flatMap((tool): Slot[] => {
      const { enabled, deferred } = choose(tool.name);
      if (!enabled) return [];
      const { name, description, inputSchema } = tool;
      const offer = { name, description, input_schema: { ...inputSchema, type: "object" as const } };
      return [{ server: toWorkspaceTool({ offer, path, deferred }, { toolbox, scene }) }];
    });
  }
}

/** Whether nothing of a request's tools is the gateway's to do, so that the upstream is asked as the client said. */
export function isForeign({ tools }: MessagesRequest, slots: readonly Slot[]): boolean {
  return slots.length === (tools ?? []).length && slots.every((slot) => "tool" in slot);
}

function isToolset(tool: TypedTool): boolean {
  return tool.type === "mcp_toolset" && tool.mcp_server_name === WORKSPACE;
}

/** Whether the client brings an MCP server of this name itself. */
function hasServer({ mcp_servers: servers }: MessagesRequest, name: string): boolean {
  return Array.isArray(servers) && servers.some((server) => isObject(server) && server.name === name);
}

/** The names of the gateway's own tools among those of a request. */
export function toWorkspaceNames(slots: readonly Slot[]): string[] {
  return slots.flatMap((slot) =>
    "server" in slot && slot.server.kind === "mcp_tool_use" ? [slot.server.offer.name] : []
  );
}

/** Chooses among the gateway's tools by their names. */
type Choose = (name: string) => { enabled: boolean; deferred: boolean };

/** Of what is asked for twice, the first counts. */
function withoutTwins(slots: readonly Slot[]): Slot[] {
  const seen = new Set<string>();
  return slots.filter((slot) => {
    if (!("server" in slot)) return true;
    const { name } = slot.server.offer;
    const twin = seen.has(name);
    seen.add(name);
    return !twin;
  });
}

function toOpenToolbox({ toolbox }: SlotOptions, path: string): Toolbox {
  if (toolbox !== undefined) return toolbox;
  throw new ApiError(
    "invalid_request_error",
    `${path}: Cannot run tools: this gateway's own are switched off`,
  );
}

/** What a toolset's configuration says of each tool. Source: https://platform.claude.com/docs/en/agents-and-tools/mcp-connector */
function toConfigured({ default_config: usual, configs }: TypedTool): Choose {
  const own = new Map(isObject(configs) ? Object.entries(configs) : []);
  return (name) => {
    const config = { ...(isObject(usual) && usual), ...toObject(own.get(name)) };
    return { enabled: (config.enabled ?? true) === true, deferred: config.defer_loading === true };
  };
}

function toObject(value: unknown): { [field: string]: unknown } {
  return isObject(value) ? value : {};
}

/** @throws {ApiError} `invalid_request_error` for a name that no tool has. */
function toWished(names: readonly string[], { tools }: Toolbox): Choose {
  const stranger = names.find((name) => name !== "*" && !tools.some((tool) => tool.name === name));
  if (stranger !== undefined) {
    throw new ApiError(
      "invalid_request_error",
      `header.x-gateway-tools: Cannot run tool ${JSON.stringify(stranger.slice(0, 64))}: this gateway has ${
        tools.map(({ name }) => name).join(", ")
      }`,
    );
  }
  return (name) => ({ enabled: names.includes("*") || names.includes(name), deferred: false });
}

/** What the headers of a request say about the gateway's own tools, for clients whose body cannot be changed. */
export interface Wishes {
  /** The tools that the gateway may run, by name; `*` stands for all. */
  tools: readonly string[];
  /** Whether tools that the client declares under the name of one of the gateway's are run here. */
  intercept: boolean;
}
