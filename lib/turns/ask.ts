import type { Caller } from "../access/caller.ts";
import { type TurnUsage, UsageTally } from "../tokens/turn_usage.ts";
import { hostFacts, type ListPrice, type TurnContext } from "../dialects/mod.ts";
import { ApiError } from "../base/errors.ts";
import type { MessageContext } from "./context.ts";
import type { LossReport } from "../dialects/loss.ts";
import type { Route } from "../upstreams/upstream.ts";
import { toRouteLabel } from "../upstreams/find_route.ts";
import { rejectThread } from "./thread.ts";
import { redactKey } from "../upstreams/send.ts";
import { sendTimed } from "./send_timed.ts";
import { sendTurn } from "./send_turn.ts";
import { timeoutsFrom } from "../upstreams/idle_timeout.ts";
import type { Ask } from "../anthropic/ask.ts";
import { readAnswer } from "./read_answer.ts";

/** What an {@linkcode Ask} is bound to. */
export interface AskOptions {
  route: Route;
  caller: Caller;
  signal: AbortSignal;
  loss: LossReport;
  /** How often the upstream may be asked again before it answers; none where asking has had an effect. */
  retries: number;
  /** Makes sure that more may be spent. @throws {ApiError} `billing_error` where it may not. */
  assertBudget(): Promise<void>;
  /** Hears what the turn used, however it ended, unless the upstream refused it. */
  onUsage(usage: TurnUsage, route: Route): void;
}

/** Creates the {@linkcode Ask} that goes to the upstream of a route. */
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
    // A beta means something to those alone who speak the language that it changes.
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
      for await (const events of readAnswer(response, { context, route, reader, watch: idleTimer })) {
        tally.add(events);
        yield events;
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

/** Returns the price of a route's model: its host's for all models, or its own. */
function priceOf({ upstream, facts }: Route): ListPrice | undefined {
  return hostFacts(upstream.preset).price ?? facts.price;
}

/** @throws {ApiError} `invalid_request_error` if anything would be lost. */
function rejectLosses(loss: LossReport, { upstream, model }: Route): void {
  const lost = loss.serious.map(([path, action]) => `${path} (${action})`);
  if (lost.length === 0) return;
  const target = `model "${model}" of upstream "${upstream.name}"`;
  throw new ApiError(
    "invalid_request_error",
    `Cannot tell ${target} everything: ${lost.join(", ").slice(0, MAX_LOSSES_CHARS)}`,
  );
}

/** How much of the losses an error names, in characters. */
const MAX_LOSSES_CHARS = 4000;
