import type { Models } from "../../../tools/models.ts";
import type { ToolContext } from "../../../tools/toolbox/call_runner.ts";
import { collectMessage } from "../../anthropic/collect.ts";
import type { ResponseMessage } from "../../anthropic/events.ts";
import type { MessagesRequest } from "../../anthropic/schema.ts";
import { type AskOptions, createAsk } from "../ask.ts";
import { toApiError } from "../../base/errors.ts";
import type { MessageContext } from "../context.ts";
import { fenceText } from "../../dialects/fence.ts";
import { LossReport } from "../../dialects/loss.ts";
import { hostFacts } from "../../dialects/mod.ts";
import { findRoute } from "../../upstreams/find_route.ts";
import { searchUpstream } from "./upstream_search.ts";
import { timeoutsFrom } from "../../upstreams/idle_timeout.ts";

/** Options of {@linkcode createToolContext}. */
export interface ToolContextOptions
  extends Pick<AskOptions, "caller" | "signal" | "admission" | "onUsage" | "observer"> {
  /** The client's request. */
  message: MessagesRequest;
  /** Identifies the conversation. Default: the client's session, or the first message. */
  conversation?: string;
  requestId: string;
  /** Returns the names of the gateway's tools that the request may use. Called while a tool runs. */
  tools(): readonly string[];
  /** Runs a nested conversation for a tool, with the tools of these names. */
  runSubagent(
    message: MessagesRequest,
    options: { tools: readonly string[]; signal: AbortSignal },
  ): Promise<ResponseMessage>;
}

/** Creates the context in which a request's tools run. */
export function createToolContext(context: MessageContext, options: ToolContextOptions): ToolContext {
  const { caller, signal, requestId, message } = options;
  return {
    client: caller.client,
    // Few requests run a tool.
    get conversation() {
      return options.conversation ?? caller.sessionId ?? conversationKey(message);
    },
    requestId,
    signal,
    startCall: (tool) => options.observer.startTool(tool),
    models: createModels(context, options),
  };
}

/** The tool that runs subagents. Subagents cannot use it. */
const TASK_TOOL = "Task";
const TASK_PROMPT = "You work on one task by yourself. The caller sees only your last message: " +
  "it must contain everything that was asked for.";

function createModels(context: MessageContext, options: ToolContextOptions): Models {
  const { message, caller, admission, observer, onUsage } = options;
  return {
    complete: (prompt, { source, system, maxTokens, signal }) =>
      withApiErrors(signal, async () => {
        const route = await findRoute(context, "small", caller);
        const ask = createAsk(
          context,
          { caller, signal, admission, observer, onUsage },
          { route, loss: new LossReport(), retries: 0 },
        );
        const request: MessagesRequest = {
          model: "small",
          max_tokens: maxTokens,
          messages: [{
            role: "user",
            content: source === undefined ? prompt : `${fenceText(source, options.requestId)}\n\n${prompt}`,
          }],
          ...(system !== undefined && { system }),
        };
        return messageText(await collectMessage(ask(request)));
      }),
    runSubagent: (prompt, { model, signal }) =>
      withApiErrors(signal, async () => {
        const request: MessagesRequest = {
          // The operator and the client choose the models. A subagent may use the small one, not any other.
          model: model === "haiku" || model === "small" ? "small" : message.model,
          max_tokens: message.max_tokens,
          messages: [{ role: "user", content: prompt }],
          system: TASK_PROMPT,
        };
        const tools = options.tools().filter((name) => name !== TASK_TOOL);
        const answer = await options.runSubagent(request, { tools, signal });
        const { stop_reason: reason } = answer;
        // Marks an incomplete answer, so that it is not mistaken for a complete one.
        return reason === "end_turn"
          ? messageText(answer)
          : `${messageText(answer)}\n[The task did not finish: ${reason}]`;
      }),
    search: (query, signal) =>
      withApiErrors(signal, async () => {
        const small = await findRoute(context, "small", caller);
        const { searchesWeb } = hostFacts(small.upstream.preset);
        // If the small model's upstream has no search, the upstream of the conversation's model is used.
        const route = searchesWeb ? small : await findRoute(context, message.model, caller);
        await admission.assertBudget();
        return await searchUpstream(context, query, {
          route,
          caller,
          signal,
          admission,
          observer,
          timeouts: timeoutsFrom(context),
          onUsage,
        });
      }),
  };
}

/** Converts failures to `ApiError`. Rethrows the abort reason if the call was cancelled. */
async function withApiErrors<Result>(signal: AbortSignal, run: () => Promise<Result>): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw toApiError(error);
  }
}

function messageText({ content }: ResponseMessage): string {
  return content.flatMap(({ type, text }) => type === "text" && typeof text === "string" ? [text] : []).join(
    "",
  );
}

/** Identifies a conversation without a session id by its first message. */
function conversationKey({ messages }: MessagesRequest): string {
  const cut = (_name: string, value: unknown) =>
    typeof value === "string" ? value.slice(0, MAX_CONVERSATION_KEY_CHARS) : value;
  return JSON.stringify(messages[0], cut).slice(0, MAX_CONVERSATION_KEY_CHARS);
}

const MAX_CONVERSATION_KEY_CHARS = 2000;
