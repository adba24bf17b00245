import { unrecordedSteps } from "../../lib/anthropic/steps.ts";
import { upstreamTools } from "../../lib/turns/gateway_tools/upstream_tools.ts";
import * as v from "valibot";
import type { StreamEvent } from "../../lib/anthropic/events.ts";
import { MessageWriter } from "../../lib/anthropic/writer.ts";
import type { MessagesRequest } from "../../lib/anthropic/schema.ts";
import type { Ask } from "../../lib/anthropic/ask.ts";
import { dialectFor } from "../../lib/dialects/mod.ts";
import type { AskTurnOptions } from "../../lib/server_tools/combine_turns.ts";
import { runTurns } from "../../lib/server_tools/loop.ts";
import type { ToolHeaders } from "../../lib/server_tools/assign.ts";
import { LossReport } from "../../lib/dialects/loss.ts";
import type { OpenMcpServer } from "../../lib/server_tools/mcp/mcp_tool.ts";
import type { Route } from "../../lib/upstreams/upstream.ts";
import { ToolError } from "../../tools/errors.ts";
import type { Models } from "../../tools/models.ts";
import { defineTool, type Tool } from "../../tools/tool.ts";
import {
  type AuditRecord,
  type CallRunner,
  createCallRunner,
  type ToolContext,
  type ToolLimits,
} from "../../tools/toolbox/call_runner.ts";
import { createToolbox, type Toolbox } from "../../tools/toolbox/toolbox.ts";
import { FakeClock } from "../kit/clock.ts";
import { NO_FILES, NO_SHELL, NO_WEB } from "../kit/no_host.ts";

/** Writes one turn of a scripted model. */
export type WriteTurn = (writer: MessageWriter) => void;

/** A model with a turn for each request, and the requests that it received. */
export interface Script {
  toAsk(turn: AskTurnOptions): Ask;
  requests: MessagesRequest[];
}

/** Creates a model with these turns, in order. */
export function createScript(...turns: readonly (WriteTurn | Error)[]): Script {
  const requests: MessagesRequest[] = [];
  return {
    requests,
    toAsk: () =>
      async function* (request): AsyncGenerator<StreamEvent[]> {
        const writeTurn = turns[requests.length];
        requests.push(structuredClone(request));
        if (writeTurn === undefined) throw new Error("the script has ended");
        if (writeTurn instanceof Error) throw writeTurn;
        const usage = { input_tokens: 10, output_tokens: 1, cache_read_input_tokens: 2 };
        const writer = new MessageWriter({ id: `msg_${requests.length}`, model: request.model, usage });
        writeTurn(writer);
        // One event in each batch, so that readers do not depend on larger batches.
        for (const event of writer.take()) yield [event];
      },
  };
}

/** Writes a call with an id of the upstream. */
export function call(writer: MessageWriter, id: string, name: string, input: object): void {
  writer.tool(id, name)(JSON.stringify(input));
}

/** Ends a turn with this number of output tokens. */
export function end(writer: MessageWriter, reason: "end_turn" | "tool_use" | "max_tokens", output = 5): void {
  writer.usage({ output_tokens: output });
  writer.end(reason);
}

/** A tool that repeats its input. */
export const echo: Tool = defineTool({
  name: "Echo",
  description: "Says a word.",
  input: v.object({ word: v.string() }),
  run: async ({ word }) => `You said ${word}`,
});

/** A tool that fails. */
export const fail: Tool = defineTool({
  name: "Fail",
  description: "Fails.",
  input: v.object({}),
  async run() {
    throw new ToolError("Cannot do it: it is broken");
  },
});

/** A tool that returns an image. */
export const show: Tool = defineTool({
  name: "Show",
  description: "Shows a picture.",
  input: v.object({}),
  run: async () => [{ type: "image", source: { type: "base64", media_type: "image/png", data: "AAAA" } }],
});

const models: Models = {
  complete: () => Promise.reject(new Error("no model")),
  runSubagent: () => Promise.reject(new Error("no model")),
  search: () => Promise.reject(new Error("no model")),
};

/** A toolbox, its clock and its audit log. */
export interface TestToolbox {
  toolbox: Toolbox;
  clock: FakeClock;
  audit: AuditRecord[];
}

/** Creates a runner without a rate, whose clock stands still. */
function createTestRunner(
  limits: Partial<ToolLimits> = {},
): { runner: CallRunner; clock: FakeClock; audit: AuditRecord[] } {
  const clock = new FakeClock();
  const audit: AuditRecord[] = [];
  const runner = createCallRunner({
    limits: { timeoutMs: 30_000, concurrency: 5, callsPerMinute: 0, ...limits },
    clock,
    audit: (record) => audit.push(record),
  });
  return { runner, clock, audit };
}

/** Creates a toolbox whose host has no files, shell or web. */
export function createTestToolbox(
  tools: readonly Tool[] = [echo, fail, show],
  limits: Partial<ToolLimits> = {},
): TestToolbox {
  const { runner, clock, audit } = createTestRunner(limits);
  const nowhere = { files: NO_FILES, shell: NO_SHELL, web: NO_WEB };
  const toolbox = createToolbox({
    tools,
    runner,
    hostFor: (call) => ({ ...nowhere, ...call }),
    warn: () => {},
  });
  return { toolbox, clock, audit };
}

/** Creates a context whose client is `tester`. */
export function createTestContext(options: Partial<ToolContext> = {}): ToolContext {
  const { signal } = new AbortController();
  return { client: "tester", conversation: "c", requestId: "req_1", signal, models, ...options };
}

/** A toolset of the gateway's tools. */
export const WORKSPACE_TOOLSET = { type: "mcp_toolset", mcp_server_name: "workspace" };

/** Options of {@linkcode runScript}. Default route: chat completions, a host without server tools. */
export interface RunOptions {
  toolbox?: Toolbox | undefined;
  toolHeaders?: Partial<ToolHeaders>;
  signal?: AbortSignal;
  maxTurns?: number;
  loss?: LossReport;
  route?: Route;
  mcpServers?: readonly OpenMcpServer[];
  listsMcpTools?: boolean;
}

/** Runs a script with the gateway's tools between its turns. */
export function runScript(
  script: Script,
  request: Partial<MessagesRequest>,
  options: RunOptions = {},
): AsyncGenerator<StreamEvent[]> {
  const { signal = new AbortController().signal, loss = new LossReport(), toolHeaders, maxTurns = 10 } =
    options;
  const toolbox = "toolbox" in options ? options.toolbox : createTestToolbox().toolbox;
  const ask = runTurns(script.toAsk, {
    upstream: upstreamTools(options.route ?? toRoute("openai")),
    loss,
    loadToolbox: toolbox && (() => Promise.resolve(toolbox)),
    toolHeaders: { tools: [], intercept: false, ...toolHeaders },
    openMcpServers: () => Promise.resolve(options.mcpServers ?? []),
    toToolOptions: () => ({
      loadCallRunner: () => Promise.resolve(createTestRunner().runner),
      steps: unrecordedSteps,
      searchMaxUses: 20,
      signal,
      maxTurns,
      now: () => Date.UTC(2026, 0, 1),
      listsMcpTools: options.listsMcpTools ?? false,
      createToolContext: () => createTestContext({ signal }),
      startMessage: ({ model }) => {
        const writer = new MessageWriter({
          id: "msg_open",
          model,
          usage: { input_tokens: 7, output_tokens: 0 },
        });
        writer.start();
        return writer.take();
      },
    }),
  });
  return ask({ model: "m", max_tokens: 100, messages: [{ role: "user", content: "Go" }], ...request });
}

/** Creates a route to a host with this preset. */
export function toRoute(
  preset: Route["upstream"]["preset"],
  language: Route["upstream"]["dialectChoice"] = "auto",
): Route {
  const model = preset === "anthropic" || language === "anthropic" ? "claude-opus-5-5" : "some/model";
  return {
    key: "up/m",
    weight: 1,
    hasAlternatives: false,
    alias: "m",
    model,
    upstream: { name: preset, baseUrl: "https://upstream.test", preset, dialectChoice: language },
    dialect: dialectFor(preset, language, model),
    facts: {},
    options: {},
    cacheControl: true,
    fallbacks: [],
  };
}

/** Collects all events of a stream. */
export async function listEvents(batches: AsyncGenerator<StreamEvent[]>): Promise<StreamEvent[]> {
  const events: StreamEvent[] = [];
  for await (const batch of batches) events.push(...batch);
  return events;
}
