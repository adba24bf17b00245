import type { ToolContext } from "../../tools/toolbox/call_runner.ts";
import type { Toolbox } from "../../tools/toolbox/toolbox.ts";
import { isCustomTool, type MessagesRequest } from "../anthropic/schema.ts";
import type { Ask } from "../anthropic/ask.ts";
import { applyToolChanges } from "../anthropic/tool_changes.ts";
import { relay } from "../base/relay.ts";
import type { LossReport } from "../dialects/loss.ts";
import type { AssignOptions, ToolHeaders } from "./assign.ts";
import type { AskTurnOptions, CombineOptions } from "./combine_turns.ts";
import type { OpenMcpServer } from "./mcp/mcp_tool.ts";
import type { ToolAssignment } from "./plan.ts";
import type { TypedToolOptions, UpstreamTools } from "./typed_tools.ts";

/** Options of {@linkcode runTurns}. */
export interface LoopOptions {
  loss: LossReport;
  upstream: UpstreamTools;
  /** Undefined if the operator has not enabled tools. */
  loadToolbox: (() => Promise<Toolbox>) | undefined;
  toolHeaders: ToolHeaders;
  /**
   * Connects to the MCP servers of a request.
   *
   * @throws {ApiError} `invalid_request_error` if one is not valid, or does not answer.
   */
  openMcpServers(request: MessagesRequest, upstream: UpstreamTools): Promise<readonly OpenMcpServer[]>;
  /** Returns what is needed only if a request has tools other than the client's, as few have. */
  toToolOptions(): ToolTurnOptions;
}

/** What turns with the gateway's tools between them need. */
export interface ToolTurnOptions
  extends
    Pick<TypedToolOptions, "loadCallRunner" | "searchMaxUses">,
    Omit<CombineOptions, "askForTurn" | "listed" | "loss"> {
  /** True if the message begins with the tool lists of the MCP servers, for the client to send back. */
  listsMcpTools: boolean;
  /** Creates the context that tools run in. `tools` returns the request's gateway tools, once they are assigned. */
  createToolContext(tools: () => readonly string[]): ToolContext;
  /** Milliseconds since 1970. */
  now(): number;
}

/**
 * Runs turns with the gateway's tools between them, until the model has finished or waits for the client. The client
 * receives one message.
 *
 * After `maxTurns` the message ends with `pause_turn`, and continues when the client sends it back. If a turn also
 * calls client tools, the message ends, and the gateway's calls run when the client sends its results. Once a tool has
 * run, errors are marked as not retryable.
 *
 * Additions and removals of tools in the messages are applied, unless the upstream does that and runs all the tools.
 *
 * Source: https://platform.claude.com/docs/en/agents-and-tools/tool-use/server-tools
 */
export function runTurns(askForTurn: (turn: AskTurnOptions) => Ask, options: LoopOptions): Ask {
  return (request) =>
    relay(async () => {
      const changes = applyToolChanges(request);
      const applied = changes?.request ?? request;
      const loss = changes === undefined ? options.loss : options.loss.of(changes.toClientPath);
      const mcpServers = await options.openMcpServers(applied, options.upstream);
      const changed = options.upstream.connectsMcp ? applied : withoutMcpServers(applied);
      const toolbox = options.loadToolbox === undefined ? undefined : await options.loadToolbox();
      const tools = hasOnlyClientTools(changed, options.toolHeaders, mcpServers)
        ? undefined
        : options.toToolOptions();
      const assignments = tools &&
        await assign(changed, { ...options, ...tools, loss, mcpServers, toolbox });
      if (assignments === undefined && changed === applied && options.upstream.takesToolChanges) {
        return askForTurn({ loss: options.loss, first: true })(request);
      }
      for (const path of changes?.applied ?? []) options.loss.add(path, "hoisted");
      for (const path of changes?.ignored ?? []) options.loss.add(path, "dropped");
      if (tools === undefined || assignments === undefined) return askForTurn({ loss, first: true })(changed);
      const { combineTurns } = await import("./combine_turns.ts");
      const listed = tools.listsMcpTools ? mcpServers : [];
      return combineTurns(changed, assignments, { ...tools, loss, askForTurn, listed });
    });
}

/** Assigns the tools of a request to the gateway or to others; `undefined` if the gateway runs none of them. */
async function assign(
  request: MessagesRequest,
  options: Omit<AssignOptions, "toolContext"> & Pick<ToolTurnOptions, "createToolContext">,
): Promise<ToolAssignment[] | undefined> {
  const { assignTools, isPassThrough, workspaceToolNames } = await import("./assign.ts");
  const toolContext = options.createToolContext(() => workspaceToolNames(assignments));
  const assignments: ToolAssignment[] = assignTools(request, { ...options, toolContext });
  return isPassThrough(request, assignments) ? undefined : assignments;
}

/** True if all tools are the client's, as in most requests. */
function hasOnlyClientTools(
  { tools }: MessagesRequest,
  toolHeaders: ToolHeaders,
  mcpServers: readonly OpenMcpServer[],
): boolean {
  return toolHeaders.tools.length === 0 && !toolHeaders.intercept && mcpServers.length === 0 &&
    (tools ?? []).every(isCustomTool);
}

/** Removes the MCP servers: the gateway connects to them, not the upstream. The list also holds their tokens. */
export function withoutMcpServers(request: MessagesRequest): MessagesRequest {
  if (request.mcp_servers === undefined) return request;
  const { mcp_servers: _servers, ...rest } = request;
  return rest;
}
