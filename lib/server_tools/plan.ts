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
import { type FindTool, toModelHistory } from "./history.ts";
import type { ModelResult, ServerTool } from "./server_tool.ts";
import { readReferences } from "./tool_search.ts";
import { WORKSPACE } from "../dialects/anthropic/gateway_tools.ts";

/** A tool of a request: one that the gateway runs, or one that somebody else does. */
export type ToolAssignment = { server: ServerTool } | { tool: Tool; path: string };

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
  toTurn(content: readonly ContentBlock[], modelResults: ReadonlyMap<string, ModelResult>): Turn;
}

/** Plans how the model is asked with these tools in the place of the request's own. */
export function planTurns(request: MessagesRequest, assignments: readonly ToolAssignment[]): Plan {
  const serverTools = assignments.flatMap((assignment) => "server" in assignment ? [assignment.server] : []);
  const tools = new Map(serverTools.map((server) => [server.definition.name, server]));
  const hasToolSearch = serverTools.some(({ isToolSearch }) => isToolSearch);
  const find = (block: ContentBlock) => findTool(block, tools);
  return {
    tools,
    find,
    toTurn(content, modelResults) {
      const { tools: _tools, tool_choice: choice, ...rest } = request;
      const messages = appendContent(request.messages, content);
      const history = toModelHistory(messages, { find, modelResults });
      const found = hasToolSearch ? findReferences(messages) : undefined;
      const visibleTools = assignments.flatMap((assignment) => toVisibleTools(assignment, found));
      return {
        citable: history.citable,
        request: {
          ...rest,
          messages: history.messages,
          ...(visibleTools.length > 0 && { tools: visibleTools.map(({ tool }) => tool) }),
          ...(choice && { tool_choice: content.length > 0 ? toAutoChoice(choice) : choice }),
        },
        toClientPath(path) {
          const [, at, member = ""] = TOOL_PATH.exec(path) ?? [];
          if (at === undefined) return keepClientPath(request, history.toClientPath(path));
          const toolPath = visibleTools[Number(at)]?.path;
          return toolPath === undefined ? undefined : toolPath + member;
        },
      };
    },
  };
}

const TOOL_PATH = /^tools\.(\d+)(.*)$/s;
const BLOCK_PATH = /^messages\.(\d+)(?:\.content\.(\d+))?/;

function findTool(block: ContentBlock, tools: ReadonlyMap<string, ServerTool>): ServerTool | undefined {
  const { type, name, server_name }: { type: string; name?: unknown; server_name?: unknown } = block;
  const tool = typeof name === "string" ? tools.get(name) : undefined;
  if (tool?.kind !== type) return undefined;
  return type === "mcp_tool_use" && server_name !== WORKSPACE ? undefined : tool;
}

/** The conversation with what this message has said: more of the last message, where that is the model's own. */
function appendContent(messages: readonly Message[], content: readonly ContentBlock[]): readonly Message[] {
  const last = messages.at(-1);
  if (content.length === 0) return messages;
  if (last?.role !== "assistant") return [...messages, { role: "assistant", content: [...content] }];
  const before: ContentBlock[] = typeof last.content === "string"
    ? [{ type: "text", text: last.content }]
    : last.content;
  return [...messages.slice(0, -1), { ...last, content: [...before, ...content] }];
}

/** Of tools whose loading is deferred the model is told where it has found them, if it can search at all. */
function toVisibleTools(
  assignment: ToolAssignment,
  found: ReadonlySet<string> | undefined,
): { tool: Tool; path: string | undefined }[] {
  const { tool, path } = "server" in assignment
    ? { tool: assignment.server.definition, path: undefined }
    : assignment;
  const deferred = isDeferred(assignment);
  if (!deferred || found === undefined) return [{ tool, path }];
  const { defer_loading: _deferred, ...loaded } = tool;
  return found.has(tool.name ?? "") ? [{ tool: loaded, path }] : [];
}

/** Whether the loading of a tool is deferred. */
export function isDeferred(assignment: ToolAssignment): boolean {
  return "server" in assignment
    ? assignment.server.deferred
    : isCustomTool(assignment.tool) && assignment.tool.defer_loading === true;
}

/** The tools of a request whose loading is deferred. */
export function deferredTools(assignments: readonly ToolAssignment[]): CustomTool[] {
  const deferred = assignments.filter(isDeferred).map((assignment) =>
    "server" in assignment ? assignment.server.definition : assignment.tool
  );
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
function toAutoChoice(choice: ToolChoice): ToolChoice {
  if (choice.type !== "any" && choice.type !== "tool") return choice;
  const { disable_parallel_tool_use: single } = choice;
  return { type: "auto", ...(typeof single === "boolean" && { disable_parallel_tool_use: single }) };
}

/** Keeps a path where it leads to something that the client itself has said. */
function keepClientPath({ messages }: MessagesRequest, path: string | undefined): string | undefined {
  const [, at, nth] = BLOCK_PATH.exec(path ?? "") ?? [];
  if (at === undefined) return path;
  const content = messages[Number(at)]?.content;
  if (content === undefined) return undefined;
  return nth === undefined || typeof content === "string" || Number(nth) < content.length ? path : undefined;
}
