import type { Caller } from "../access/caller.ts";
import { type TurnUsage, UsageTally } from "../tokens/turn_usage.ts";
import { hostFacts, type ListPrice, type TurnContext } from "../dialects/mod.ts";
import { ApiError } from "../base/errors.ts";
import type { MessageContext } from "./context.ts";
import type { LossReport } from "../dialects/loss.ts";
import type { Route } from "../upstreams/upstream.ts";
import { toRouteLabel } from "../upstreams/find_route.ts";
import { rejectThread } from "./thread.ts";
import { logWarning } from "../observability/log.ts";
import { redactKey } from "../upstreams/send.ts";
import { sendTimed } from "./send_timed.ts";
import { sendTurn } from "./send_turn.ts";
import { timeoutsFrom } from "../upstreams/idle_timeout.ts";
import type { Ask } from "../anthropic/ask.ts";
import { readAnswer } from "./read_answer.ts";

/** Options of {@linkcode createAsk}. */
export interface AskOptions {
  route: Route;
  caller: Caller;
  signal: AbortSignal;
  loss: LossReport;
  /** Maximum number of retries before the answer starts; 0 after a tool has run. */
  retries: number;
  /** Checks that the caller may spend more. @throws {ApiError} `billing_error` if its budget is spent. */
  assertBudget(): Promise<void>;
  /** Called with the usage of a turn when it ends, complete or not. Not called if the upstream rejected the request. */
  onUsage(usage: TurnUsage, route: Route): void;
}

/** Creates the {@linkcode Ask} that sends a turn to the upstream of a route. */
export function createAsk(
  context: MessageContext,
  { route, caller, signal, loss, retries, assertBudget, onUsage }: AskOptions,
): Ask {
  const { config } = context;
  const timeouts = timeoutsFrom(context);
  return async function* (request) {
    rejectThread(request, route);
    const turn: TurnContext = {
      model: route.model,
      origin: toRouteLabel(route),
      cacheControl: route.cacheControl,
      dropThinking: route.dropThinking,
      alias: route.alias,
      facts: route.facts,
      sessionId: caller.sessionId,
      inputTokens: context.inputCounter.estimate(request, route),
      coerceToolInput: config.coerceToolInput === "on",
      toolCallsInText: config.toolCallsInText,
      newId: context.newId,
      loss,
    };
    const reader = route.dialect.createReader(request, turn);
    const body = route.dialect.toBody(request, turn);
    // Betas change Anthropic's format. They have no meaning in other dialects.
    if (caller.betas !== undefined && route.dialect.name !== "anthropic") {
      loss.add("header.anthropic-beta", "dropped");
    }
    if (config.validation === "strict") rejectLosses(loss, route);
    await assertBudget();
    signal.throwIfAborted();
    const tally = new UsageTally({ inputTokens: turn.inputTokens, price: priceOf(route) });
    const { response, idleTimer } = await sendTimed(
      {
        signal,
        upstream: route.upstream,
        timeouts,
        onAbort: () => onUsage(tally.toTurnUsage(undefined), route),
      },
      (timed) => sendTurn(context, route, { body, caller, retries, ...timed }),
    );
    try {
      for await (const events of readAnswer(response, { context, route, reader, idleTimer })) {
        tally.add(events);
        if (reader.unknownStop !== undefined) loss.add("answer.stop_reason", "approximated");
        yield events;
      }
      if (reader.unknownStop !== undefined) {
        logWarning("an answer ended for an unknown reason", {
          model: toRouteLabel(route),
          reason: reader.unknownStop.slice(0, 100),
        });
      }
    } catch (error) {
      throw redactKey(error, route.upstream, caller);
    } finally {
      idleTimer.stop();
      onUsage(tally.toTurnUsage(reader.cost), route);
      if (reader.inputTokens !== undefined) context.inputCounter.learn(request, route, reader.inputTokens);
    }
  };
}

/** Returns the list price of a route: the host's price for all models or, without one, the model's price. */
function priceOf({ upstream, facts }: Route): ListPrice | undefined {
  return hostFacts(upstream.preset).price ?? facts.price;
}

/** Rejects a request that the upstream cannot fully accept. @throws {ApiError} `invalid_request_error` */
function rejectLosses(loss: LossReport, { upstream, model }: Route): void {
  const lost = loss.serious.map(([path, action]) => `${path} (${action})`);
  if (lost.length === 0) return;
  const target = `model "${model}" of upstream "${upstream.name}"`;
  throw new ApiError(
    "invalid_request_error",
    `Cannot send the complete request to ${target}: ${lost.join(", ").slice(0, MAX_LOSSES_CHARS)}`,
  );
}

/** Maximum length of the list of losses in an error message, in characters. */
const MAX_LOSSES_CHARS = 4000;
