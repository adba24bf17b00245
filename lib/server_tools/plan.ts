import {
  type ContentBlock,
  type CustomTool,
  isCustomTool,
  type Message,
  type MessagesRequest,
  type Tool,
  type ToolChoice,
} from "../anthropic/schema.ts";
import { isObject, type JsonObject } from "../base/json.ts";
import type { ToClientPath } from "../dialects/loss.ts";
import type { Citable } from "./citations.ts";
import { type FindTool, retellMessages } from "./history.ts";
import type { ServerTool, Told } from "./server_tool.ts";
import { readReferences } from "./tool_search.ts";
import { WORKSPACE } from "../dialects/anthropic/gateway_tools.ts";

/** A tool of a request: one that the gateway runs, or one that somebody else does. */
export type Slot = { server: ServerTool } | { tool: Tool; path: string };

/** How the model is asked for a turn, and where the client spoke of each part of that. */
export interface Turn {
  request: MessagesRequest;
  /** The pages that the model may cite, by their marks. */
  citable: ReadonlyMap<string, Citable>;
  toClientPath: ToClientPath;
}

/** What of a request the gateway does. */
export interface Plan {
  /** The tools that the gateway runs, by the names that the model knows. */
  tools: ReadonlyMap<string, ServerTool>;
  find: FindTool;
  /** Makes the request for the next turn, of the client's own and what the message has said so far. */
  toTurn(said: readonly ContentBlock[], told: ReadonlyMap<string, Told>): Turn;
}

/** Plans how the model is asked with these tools in the place of the request's own. */
export function planTurns(request: MessagesRequest, slots: readonly Slot[]): Plan {
  const servers = slots.flatMap((slot) => "server" in slot ? [slot.server] : []);
  const tools = new Map(servers.map((server) => [server.offer.name, server]));
  const searched = servers.some(({ searches }) => searches);
  const find = (block: ContentBlock) => findTool(block, tools);
  return {
    tools,
    find,
    toTurn(said, told) {
      const { tools: _tools, tool_choice: choice, ...rest } = request;
      const messages = withSaid(request.messages, said);
      const retold = retellMessages(messages, { find, told });
      const found = searched ? findReferences(messages) : undefined;
      const offered = slots.flatMap((slot) => offer(slot, found));
      return {
        citable: retold.citable,
        request: {
          ...rest,
          messages: retold.messages,
          ...(offered.length > 0 && { tools: offered.map(({ tool }) => tool) }),
          ...(choice && { tool_choice: said.length > 0 ? toFreeChoice(choice) : choice }),
        },
        toClientPath(path) {
          const [, at, member = ""] = TOOL.exec(path) ?? [];
          if (at === undefined) return knownTo(request, retold.toClientPath(path));
          const own = offered[Number(at)]?.path;
          return own === undefined ? undefined : own + member;
        },
      };
    },
  };
}

const TOOL = /^tools\.(\d+)(.*)$/s;
const BLOCK = /^messages\.(\d+)(?:\.content\.(\d+))?/;

function findTool(block: ContentBlock, tools: ReadonlyMap<string, ServerTool>): ServerTool | undefined {
  const { type, name, server_name }: { type: string; name?: unknown; server_name?: unknown } = block;
  const tool = typeof name === "string" ? tools.get(name) : undefined;
  if (tool?.kind !== type) return undefined;
  return type === "mcp_tool_use" && server_name !== WORKSPACE ? undefined : tool;
}

/** The conversation with what this message has said: more of the last message, where that is the model's own. */
function withSaid(messages: readonly Message[], said: readonly ContentBlock[]): readonly Message[] {
  const last = messages.at(-1);
  if (said.length === 0) return messages;
  if (last?.role !== "assistant") return [...messages, { role: "assistant", content: [...said] }];
  const before: ContentBlock[] = typeof last.content === "string"
    ? [{ type: "text", text: last.content }]
    : last.content;
  return [...messages.slice(0, -1), { ...last, content: [...before, ...said] }];
}

/** Of tools whose loading is deferred the model is told where it has found them, if it can search at all. */
function offer(
  slot: Slot,
  found: ReadonlySet<string> | undefined,
): { tool: Tool; path: string | undefined }[] {
  const { tool, path } = "server" in slot ? { tool: slot.server.offer, path: undefined } : slot;
  const deferred = isDeferred(slot);
  if (!deferred || found === undefined) return [{ tool, path }];
  const { defer_loading: _deferred, ...loaded } = tool;
  return found.has(tool.name ?? "") ? [{ tool: loaded, path }] : [];
}

/** Whether the loading of a tool is deferred. */
export function isDeferred(slot: Slot): boolean {
  return "server" in slot
    ? slot.server.deferred
    : isCustomTool(slot.tool) && slot.tool.defer_loading === true;
}

/** The tools of a request whose loading is deferred. */
export function toDeferred(slots: readonly Slot[]): CustomTool[] {
  const deferred = slots.filter(isDeferred).map((slot) => "server" in slot ? slot.server.offer : slot.tool);
  return deferred.filter(isCustomTool);
}

/** The names of the tools that the conversation has found. */
function findReferences(messages: readonly Message[]): Set<string> {
  return new Set(
    messages.flatMap(({ content }) => typeof content === "string" ? [] : content.flatMap(toReferences)),
  );
}

function toReferences(block: ContentBlock): string[] {
  if (block.type === "tool_reference") return [block.tool_name];
  if (block.type === "tool_result") {
    return Array.isArray(block.content) ? block.content.flatMap(toReferences) : [];
  }
  const { content }: JsonObject = { ...block };
  return isObject(content) ? readReferences(content) : [];
}

/** The choice for a turn that goes on after results: whoever was forced to call has called. */
function toFreeChoice(choice: ToolChoice): ToolChoice {
  if (choice.type !== "any" && choice.type !== "tool") return choice;
  const { disable_parallel_tool_use: single } = choice;
  return { type: "auto", ...(typeof single === "boolean" && { disable_parallel_tool_use: single }) };
}

/** Keeps a path where it leads to something that the client itself has said. */
function knownTo({ messages }: MessagesRequest, path: string | undefined): string | undefined {
  const [, at, nth] = BLOCK.exec(path ?? "") ?? [];
  if (at === undefined) return path;
  const content = messages[Number(at)]?.content;
  if (content === undefined) return undefined;
  return nth === undefined || typeof content === "string" || Number(nth) < content.length ? path : undefined;
}
