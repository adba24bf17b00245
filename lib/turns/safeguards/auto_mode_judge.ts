import { collectMessage } from "../../anthropic/collect.ts";
import type { ResponseMessage } from "../../anthropic/events.ts";
import { ApiError } from "../../base/errors.ts";
import { LossReport } from "../../dialects/loss.ts";
import { logWarning } from "../../observability/log.ts";
import { findRoute } from "../../upstreams/find_route.ts";
import { type AskOptions, createAsk } from "../ask.ts";
import type { MessageContext } from "../context.ts";
import { JUDGE_INSTRUCTIONS, toJudgePrompt } from "./judge_prompt.ts";
import type { Judge, Verdict } from "./safeguards.ts";

/** Options of {@linkcode createJudge}. */
export interface JudgeOptions
  extends Pick<AskOptions, "caller" | "signal" | "admission" | "onUsage" | "observer"> {
  /** Name of the model that judges. */
  model: string;
}

/** Time for one verdict, in milliseconds. */
const JUDGE_TIMEOUT_MS = 30_000;
/** Enough for a model that thinks before its verdict. */
const MAX_OUTPUT_TOKENS = 4096;
const MAX_EXPLANATION_CHARS = 500;

/**
 * Creates a judge that asks a model about each call.
 *
 * A call has a verdict only if the model gives it in the exact form. After any failure it has none: a call that nobody
 * judged must not look judged.
 */
export function createJudge(
  context: MessageContext,
  { model, caller: { client, key, sessionId, correlationId }, signal, admission, onUsage, observer }:
    JudgeOptions,
): Judge {
  const caller = { client, key, sessionId, correlationId };
  return async (call, { request, safeguard }) => {
    const content = toJudgePrompt(call, request, safeguard);
    if (content === undefined) return undefined;
    const timeout = new AbortController();
    const cancel = context.clock.after(JUDGE_TIMEOUT_MS, () => timeout.abort(timeoutError()));
    try {
      const route = await findRoute(context, model, caller);
      const ask = createAsk(
        context,
        { caller, admission, onUsage, observer, signal: AbortSignal.any([signal, timeout.signal]) },
        { route, loss: new LossReport(), retries: 0 },
      );
      const message = await collectMessage(ask({
        model,
        max_tokens: MAX_OUTPUT_TOKENS,
        system: JUDGE_INSTRUCTIONS,
        messages: [{ role: "user", content }],
      }));
      return parseVerdict(message);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      logWarning("auto mode: tool call not judged", { model, error }, "upstream");
      return undefined;
    } finally {
      cancel();
    }
  };
}

function timeoutError(): ApiError {
  return new ApiError(
    "timeout_error",
    `Cannot judge the call: no verdict within ${JUDGE_TIMEOUT_MS / 1000} s`,
  );
}

const ALLOW = /^\s*<verdict>allow<\/verdict>\s*$/;
const BLOCK = /^\s*<verdict>block<\/verdict>\s*(?:<reason>([^]*)<\/reason>\s*)?$/;

/** Returns the verdict if it is the whole text of a complete answer. */
function parseVerdict({ content, stop_reason: reason }: ResponseMessage): Verdict | undefined {
  const texts = content.flatMap(({ type, text }) =>
    type === "text" && typeof text === "string" ? [text] : []
  );
  const text = texts.join("");
  if (reason !== "end_turn") return undefined;
  if (ALLOW.test(text)) return { type: "evaluated", outcome: "not_flagged" };
  const block = BLOCK.exec(text);
  if (block === null) return undefined;
  const [, why = ""] = block;
  const explanation = why.replace(/\s+/g, " ").trim().slice(0, MAX_EXPLANATION_CHARS);
  return { type: "evaluated", outcome: "flagged", explanation: explanation || DEFAULT_EXPLANATION };
}

const DEFAULT_EXPLANATION = "The model that judges calls for the gateway considers this call dangerous";
