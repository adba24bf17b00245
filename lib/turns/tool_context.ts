import type { Models } from "../../tools/models.ts";
import type { Scene } from "../../tools/toolbox/toolbox.ts";
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
import { toPatience } from "../upstreams/idle_timeout.ts";

/** What the tools of a request are run for. */
export interface SceneOptions extends Pick<AskOptions, "caller" | "signal" | "permit" | "onBill"> {
  /** What the client has asked. */
  message: MessagesRequest;
  requestId: string;
  /** The names of the context's tools that the request may use, known when the first of them runs. */
  tools(): readonly string[];
  /** Holds a conversation of a tool's own, with tools of these names. */
  converse(
    message: MessagesRequest,
    options: { tools: readonly string[]; signal: AbortSignal },
  ): Promise<ResponseMessage>;
}

/** Creates the scene of a request's tools. */
export function createScene(context: MessageContext, options: SceneOptions): Scene {
  const { caller, signal, requestId, message } = options;
  return {
    client: caller.client,
    conversation: caller.sessionId ?? toOpening(message),
    requestId,
    signal,
    models: createModels(context, options),
  };
}

/** The tool that has others run: within its own conversation it is not to be had. */
const TASK = "Task";
const TASK_WORDS = "You work on one task on your own, for somebody who sees nothing but your last message: " +
  "say there all that was asked for.";

function createModels(context: MessageContext, options: SceneOptions): Models {
  const { message, caller, permit, onBill } = options;
  return {
    complete: (prompt, { system, maxTokens, signal }) =>
      tell(signal, async () => {
        const route = await findRoute(context, "small", caller);
        const loss = new LossReport();
        const ask = createAsk(context, { route, caller, signal, permit, onBill, loss, repeats: 0 });
        const request: MessagesRequest = {
          model: "small",
          max_tokens: maxTokens,
          messages: [{ role: "user", content: prompt }],
          ...(system !== undefined && { system }),
        };
        return toText(await collectMessage(ask(request)));
      }),
    converse: (prompt, { model, signal }) =>
      tell(signal, async () => {
        const request: MessagesRequest = {
          // The choice of models is the owner's and the client's: a model may ask for the small one, not for any.
          model: model === "haiku" || model === "small" ? "small" : message.model,
          max_tokens: message.max_tokens,
          messages: [{ role: "user", content: prompt }],
          system: TASK_WORDS,
        };
        const tools = options.tools().filter((name) => name !== TASK);
        const answer = await options.converse(request, { tools, signal });
        const { stop_reason: reason } = answer;
        // What was cut off is not to be taken for all that there is to say.
        return reason === "end_turn"
          ? toText(answer)
          : `${toText(answer)}\n[The task did not end: ${reason}]`;
      }),
    search: (query, signal) =>
      tell(signal, async () => {
        const small = await findRoute(context, "small", caller);
        const { searchesWeb } = hostFacts(small.upstream.preset);
        // The small model may be elsewhere; that of the conversation is then the one that can search.
        const route = searchesWeb ? small : await findRoute(context, message.model, caller);
        await permit();
        return await searchUpstream(context, query, {
          route,
          caller,
          signal,
          patience: toPatience(context),
          onBill,
        });
      }),
  };
}

/** Makes of every failure one that may be told, but of the end of the call. */
async function tell<Result>(signal: AbortSignal, ask: () => Promise<Result>): Promise<Result> {
  try {
    return await ask();
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw toApiError(error);
  }
}

function toText({ content }: ResponseMessage): string {
  return content.flatMap(({ type, text }) => type === "text" && typeof text === "string" ? [text] : []).join(
    "",
  );
}

/** Tells a conversation from others where the client does not: by how it began. */
function toOpening({ messages }: MessagesRequest): string {
  return JSON.stringify(messages[0]).slice(0, MAX_OPENING);
}

/** In characters. */
const MAX_OPENING = 2000;
