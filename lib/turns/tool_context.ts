import type { Models } from "../../tools/models.ts";
import type { ToolContext } from "../../tools/toolbox/toolbox.ts";
import { collectMessage } from "../anthropic/collect.ts";
import type { ResponseMessage } from "../anthropic/events.ts";
import type { MessagesRequest } from "../anthropic/schema.ts";
import { type AskOptions, createAsk } from "./ask.ts";
import { toApiError } from "../base/errors.ts";
import type { MessageContext } from "./context.ts";
import { LossReport } from "../dialects/loss.ts";
import { hostFacts } from "../dialects/mod.ts";
import { findRoute } from "../upstreams/find_route.ts";
import { searchUpstream } from "./upstream_search.ts";
import { timeoutsFrom } from "../upstreams/idle_timeout.ts";

/** What the tools of a request are run for. */
export interface ToolContextOptions
  extends Pick<AskOptions, "caller" | "signal" | "assertBudget" | "onUsage"> {
  /** What the client has asked. */
  message: MessagesRequest;
  requestId: string;
  /** The names of the gateway's tools that the request may use, known when the first of them runs. */
  tools(): readonly string[];
  /** Holds a conversation of a tool's own, with tools of these names. */
  runSubagent(
    message: MessagesRequest,
    options: { tools: readonly string[]; signal: AbortSignal },
  ): Promise<ResponseMessage>;
}

/** Creates the scene of a request's tools. */
export function createToolContext(context: MessageContext, options: ToolContextOptions): ToolContext {
  const { caller, signal, requestId, message } = options;
  return {
    client: caller.client,
    conversation: caller.sessionId ?? conversationKey(message),
    requestId,
    signal,
    models: createModels(context, options),
  };
}

/** The tool that has others run: within its own conversation it is not to be had. */
const TASK_TOOL = "Task";
const TASK_PROMPT =
  "You work on one task on your own, for somebody who sees nothing but your last message: " +
  "say there all that was asked for.";

function createModels(context: MessageContext, options: ToolContextOptions): Models {
  const { message, caller, assertBudget, onUsage } = options;
  return {
    complete: (prompt, { system, maxTokens, signal }) =>
      withApiErrors(signal, async () => {
        const route = await findRoute(context, "small", caller);
        const loss = new LossReport();
        const ask = createAsk(context, { route, caller, signal, assertBudget, onUsage, loss, retries: 0 });
        const request: MessagesRequest = {
          model: "small",
          max_tokens: maxTokens,
          messages: [{ role: "user", content: prompt }],
          ...(system !== undefined && { system }),
        };
        return messageText(await collectMessage(ask(request)));
      }),
    runSubagent: (prompt, { model, signal }) =>
      withApiErrors(signal, async () => {
        const request: MessagesRequest = {
          // The choice of models is the owner's and the client's: a model may ask for the small one, not for any.
          model: model === "haiku" || model === "small" ? "small" : message.model,
          max_tokens: message.max_tokens,
          messages: [{ role: "user", content: prompt }],
          system: TASK_PROMPT,
        };
        const tools = options.tools().filter((name) => name !== TASK_TOOL);
        const answer = await options.runSubagent(request, { tools, signal });
        const { stop_reason: reason } = answer;
        // What was cut off is not to be taken for all that there is to say.
        return reason === "end_turn"
          ? messageText(answer)
          : `${messageText(answer)}\n[The task did not end: ${reason}]`;
      }),
    search: (query, signal) =>
      withApiErrors(signal, async () => {
        const small = await findRoute(context, "small", caller);
        const { searchesWeb } = hostFacts(small.upstream.preset);
        // The small model may be elsewhere; that of the conversation is then the one that can search.
        const route = searchesWeb ? small : await findRoute(context, message.model, caller);
        await assertBudget();
        return await searchUpstream(context, query, {
          route,
          caller,
          signal,
          timeouts: timeoutsFrom(context),
          onUsage,
        });
      }),
  };
}

/** Makes of every failure one that may be told, but of the end of the call. */
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

/** Tells a conversation from others where the client does not: by how it began. */
function conversationKey({ messages }: MessagesRequest): string {
  return JSON.stringify(messages[0]).slice(0, MAX_CONVERSATION_KEY_CHARS);
}

/** In characters. */
const MAX_CONVERSATION_KEY_CHARS = 2000;
