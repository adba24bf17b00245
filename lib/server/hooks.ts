import type { Ask } from "../anthropic/ask.ts";
import { MessageAccumulator } from "../anthropic/collect.ts";
import type { ResponseMessage } from "../anthropic/events.ts";
import { parseMessagesRequest } from "../anthropic/parse.ts";
import type { MessagesRequest } from "../anthropic/schema.ts";
import { ApiError, toApiError } from "../base/errors.ts";
import { isObject } from "../base/json.ts";
import { logWarning } from "../observability/log.ts";
import type { Clock } from "../runtime/clock.ts";

/** Body of `POST /v1/messages` in Anthropic's format. */
export interface MessageBody {
  /** Model or alias that the client asks for. */
  model: string;
  /** Maximum tokens of the answer. */
  max_tokens: number;
  /** The conversation; content is a text or a list of blocks. */
  messages: readonly { role: string; content: unknown; [field: string]: unknown }[];
  /** Further fields, such as `system`, `tools` and `stream`. */
  [field: string]: unknown;
}

/** What every hook is told of a request. */
export interface HookCall {
  /** Id of the request, as in the log and the header `request-id`. */
  readonly requestId: string;
  /** Name of the client's key; `local` if the gateway has none. */
  readonly client: string;
  /** Aborts when the client leaves or the hook's time is over. */
  readonly signal: AbortSignal;
}

/** A request before a model is chosen for it. It is valid, and must not be changed in place. */
export interface RequestEvent extends HookCall {
  /** Body of the request. Its fields are frozen. */
  readonly message: Readonly<MessageBody>;
}

/** Decision of `onRequest`: another request, another model, or a refusal with the text that the client receives. */
export type RequestDecision =
  | { readonly message: MessageBody }
  | { readonly model: string }
  | { readonly refuse: string };

/** The end of an answer. */
export interface ResponseEvent extends HookCall {
  /** The request that was answered, after `onRequest`. */
  readonly request: Readonly<MessageBody>;
  /** `finished`, `failed`, or `left` if the client disconnected. */
  readonly outcome: "finished" | "failed" | "left";
  /** The whole message of a finished answer, also of a streamed one; undefined above 32 MiB. */
  readonly message?: ResponseMessage;
  /** The error of a failed answer, as the client receives it. */
  readonly error?: { readonly type: string; readonly message: string };
  /** Time from the first question to the model to the end of the answer, in milliseconds. */
  readonly milliseconds: number;
}

/** Functions of an embedding program that the gateway calls for each message, and waits for. */
export interface Hooks {
  /**
   * Called after a request was authenticated and validated, before a model is chosen. Returns a decision, or nothing to
   * change nothing. If it fails or takes too long, the request fails.
   */
  onRequest?(event: RequestEvent): RequestDecision | undefined | Promise<RequestDecision | undefined>;
  /**
   * Called once when the answer of a model has ended. A stream is closed after it, a whole answer is sent after it. Its
   * failure is logged and changes no answer.
   */
  onResponse?(event: ResponseEvent): void | Promise<void>;
  /** Maximum time of one call, in milliseconds. Default: 10,000. */
  timeoutMs?: number;
}

/** A request that hooks are called for. */
export interface HookContext {
  hooks: Hooks;
  clock: Clock;
  requestId: string;
  client: string;
  signal: AbortSignal;
}

const DEFAULT_TIMEOUT_MS = 10_000;

/**
 * Returns a request as `onRequest` decides.
 *
 * @throws {ApiError} `permission_error` if it refuses, `timeout_error` if it takes too long, `api_error` if it fails or
 * returns an invalid request.
 */
export async function applyRequestHook(
  message: MessagesRequest,
  context: HookContext,
): Promise<MessagesRequest> {
  const { onRequest } = context.hooks;
  if (onRequest === undefined) return message;
  // A change of a field in place would not be checked: it throws in the hook.
  const event = { message: Object.freeze({ ...message }) };
  const decision = await callHook("onRequest", context, (call) => onRequest({ ...call, ...event }));
  if (decision === undefined) return message;
  if (!isObject(decision)) throw hookError("onRequest", "returned no decision", undefined);
  if ("refuse" in decision) throw new ApiError("permission_error", decision.refuse);
  const rewritten = "message" in decision ? { ...decision.message } : { ...message, model: decision.model };
  try {
    return parseMessagesRequest(rewritten);
  } catch (cause) {
    throw hookError("onRequest", "returned a request that is not valid", cause);
  }
}

/** Calls `onResponse` at the end of an answer, before the end is passed on. */
export function withResponseHook(ask: Ask, context: HookContext): Ask {
  const { onResponse } = context.hooks;
  if (onResponse === undefined) return ask;
  return async function* (request) {
    const startedAt = context.clock.now();
    let answer: MessageAccumulator | undefined = new MessageAccumulator();
    let end: Pick<ResponseEvent, "outcome" | "message" | "error"> = { outcome: "left" };
    try {
      for await (const batch of ask(request)) {
        try {
          for (const event of batch) answer?.add(event);
        } catch {
          answer = undefined; // too large to be held; the stream itself is not
        }
        // A client may leave as soon as it has the last event.
        if (batch.at(-1)?.type === "message_stop") {
          end = { outcome: "finished", ...(answer !== undefined && { message: answer.message() }) };
        }
        yield batch;
      }
    } catch (error) {
      const { type, message } = toApiError(error);
      end = { outcome: "failed", error: { type, message } };
      throw error;
    } finally {
      const milliseconds = context.clock.now() - startedAt;
      const event = { ...end, request, milliseconds };
      await callHook("onResponse", context, (call) => onResponse({ ...call, ...event })).catch((error) =>
        logWarning("hook failed", { hook: "onResponse", requestId: context.requestId, error })
      );
    }
  };
}

/**
 * Calls a hook and waits for it.
 *
 * @throws {ApiError} if it fails or takes too long.
 */
async function callHook<Result>(
  name: "onRequest" | "onResponse",
  { hooks, clock, requestId, client, signal }: HookContext,
  call: (call: HookCall) => Result | Promise<Result>,
): Promise<Result> {
  const { timeoutMs = DEFAULT_TIMEOUT_MS } = hooks;
  const controller = new AbortController();
  let cancel = () => {};
  const timeout = new Promise<never>((_resolve, reject) => {
    cancel = clock.after(timeoutMs, () => {
      const error = new ApiError(
        "timeout_error",
        `Cannot answer: the hook ${name} took more than ${timeoutMs} ms`,
      );
      controller.abort(error);
      reject(error);
    });
  });
  const hookSignal = AbortSignal.any([signal, controller.signal]);
  const run = async () => await call({ requestId, client, signal: hookSignal });
  try {
    return await Promise.race([
      run().catch((cause) => Promise.reject(hookError(name, "failed", cause))),
      timeout,
    ]);
  } finally {
    cancel();
  }
}

function hookError(name: string, what: string, cause: unknown): ApiError {
  return new ApiError("api_error", `Cannot answer: the hook ${name} ${what}`, { cause, retryable: false });
}
