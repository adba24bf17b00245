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
import { LISTING } from "../dialects/anthropic/gateway_tools.ts";
import type { ModelResult, ServerTool } from "./server_tool.ts";
import { readReferences } from "./tool_search.ts";

/** A tool of a request: run by the gateway (`server`), or by the upstream or the client (`tool`). */
export type ToolAssignment = { server: ServerTool } | { tool: Tool; path: string };

/** Request for one turn, with the client's path of each part. */
export interface Turn {
  request: MessagesRequest;
  /** Pages that the model can cite, by mark. */
  citable: ReadonlyMap<string, Citable>;
  toClientPath: ToClientPath;
}

/** Tools that the gateway runs for a request, and the requests of its turns. */
export interface Plan {
  /** Tools that the gateway runs, by the name that the model uses. */
  tools: ReadonlyMap<string, ServerTool>;
  find: FindTool;
  /** Creates the request for the next turn from the client's request and the message so far. */
  toTurn(content: readonly ContentBlock[], modelResults: ReadonlyMap<string, ModelResult>): Turn;
}

/** Creates the plan of a request. The assigned tools replace the request's tools. */
export function planTurns(request: MessagesRequest, assignments: readonly ToolAssignment[]): Plan {
  const serverTools = assignments.flatMap((assignment) => "server" in assignment ? [assignment.server] : []);
  const tools = new Map(serverTools.map((server) => [server.definition.name, server]));
  const toolsByCall = new Map(
    serverTools.map((server) => [callKey(server.toCallBlock({ id: "", input: {} })), server]),
  );
  const hasToolSearch = serverTools.some(({ isToolSearch }) => isToolSearch);
  const find = (block: ContentBlock) =>
    block.type.endsWith("tool_use") ? toolsByCall.get(callKey(block)) : undefined;
  const mcpServers = new Set<unknown>(serverTools.map(({ server }) => server));
  // The listing is for the gateway, which offers the tools that it names.
  const omits = ({ type, mcp_server_name: server }: JsonObject) => type === LISTING && mcpServers.has(server);
  return {
    tools,
    find,
    toTurn(content, modelResults) {
      const { tools: _tools, tool_choice: choice, ...rest } = request;
      const messages = appendContent(request.messages, content);
      const history = toModelHistory(messages, { find, omits, modelResults });
      const found = hasToolSearch ? findReferences(messages) : undefined;
      const visibleTools = assignments.flatMap((assignment) => toVisibleTools(assignment, found));
      return {
        citable: history.citable,
        request: {
          ...rest,
          messages: history.messages,
          ...(visibleTools.length > 0 && { tools: visibleTools.map(({ tool }) => tool) }),
          ...(choice && {
            tool_choice: content.length > 0 ? toAutoChoice(choice) : toModelChoice(choice, assignments),
          }),
        },
        toClientPath(path) {
          const [, at, member = ""] = TOOL_PATH.exec(path) ?? [];
          if (at === undefined) return keepClientPath(request, history.toClientPath(path));
          const { path: clientPath, tool } = visibleTools[Number(at)] ?? {};
          // Of a definition that the gateway writes, only the cache breakpoint is the client's.
          const toolPath = member === ".cache_control" && tool !== undefined
            ? clientPath ?? serverTools.find(({ definition }) => definition.name === tool.name)?.path
            : clientPath;
          return toolPath === undefined ? undefined : toolPath + member;
        },
      };
    },
  };
}

const TOOL_PATH = /^tools\.(\d+)(.*)$/s;
const BLOCK_PATH = /^messages\.(\d+)(?:\.content\.(\d+))?/;

/** Identifies the tool of a call block by the type of the block, the tool's name and that of its MCP server. */
function callKey(block: { type: string; [field: string]: unknown }): string {
  const { type, name, server_name: server } = block;
  return JSON.stringify([type, name, type === "mcp_tool_use" ? server : undefined]);
}

/** Appends content to a conversation, in the last message if that is the assistant's. */
function appendContent(messages: readonly Message[], content: readonly ContentBlock[]): readonly Message[] {
  const last = messages.at(-1);
  if (content.length === 0) return messages;
  if (last?.role !== "assistant") return [...messages, { role: "assistant", content: [...content] }];
  const before: ContentBlock[] = typeof last.content === "string"
    ? [{ type: "text", text: last.content }]
    : last.content;
  return [...messages.slice(0, -1), { ...last, content: [...before, ...content] }];
}

/** Omits a deferred tool that the model has not found yet. Without a tool search, all tools are visible. */
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

/** True if the loading of a tool is deferred. */
export function isDeferred(assignment: ToolAssignment): boolean {
  return "server" in assignment
    ? assignment.server.deferred
    : isCustomTool(assignment.tool) && assignment.tool.defer_loading === true;
}

/** Returns the deferred tools of a request. */
export function deferredTools(assignments: readonly ToolAssignment[]): CustomTool[] {
  const deferred = assignments.filter(isDeferred).map((assignment) =>
    "server" in assignment ? assignment.server.definition : assignment.tool
  );
  return deferred.filter(isCustomTool);
}

/** Returns the names of tools that searches in the conversation have found. */
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

/** Returns the tool choice by the model's names. A client can name a tool of an MCP server as that server does. */
function toModelChoice(choice: ToolChoice, assignments: readonly ToolAssignment[]): ToolChoice {
  if (choice.type !== "tool") return choice;
  const isName = assignments.some((assignment) =>
    ("server" in assignment ? assignment.server.definition : assignment.tool).name === choice.name
  );
  const named = isName ? [] : assignments.flatMap((assignment) => {
    const tool = "server" in assignment ? assignment.server : undefined;
    return tool?.toCallBlock({ id: "", input: {} }).name === choice.name ? [tool.definition.name] : [];
  });
  const [name] = named;
  return name !== undefined && named.length === 1 ? { ...choice, type: "tool", name } : choice;
}

/** Returns the tool choice after results: `auto` instead of a forced call, which has been made. */
function toAutoChoice(choice: ToolChoice): ToolChoice {
  if (choice.type !== "any" && choice.type !== "tool") return choice;
  const { disable_parallel_tool_use: single } = choice;
  return { type: "auto", ...(typeof single === "boolean" && { disable_parallel_tool_use: single }) };
}

/** Returns a path only if it leads to content that the client sent. */
function keepClientPath({ messages }: MessagesRequest, path: string | undefined): string | undefined {
  const [, at, nth] = BLOCK_PATH.exec(path ?? "") ?? [];
  if (at === undefined) return path;
  const content = messages[Number(at)]?.content;
  if (content === undefined) return undefined;
  return nth === undefined || typeof content === "string" || Number(nth) < content.length ? path : undefined;
}
