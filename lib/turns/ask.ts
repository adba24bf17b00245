import type { Caller } from "../access/caller.ts";
import { type Bill, Tally } from "../tokens/turn_usage.ts";
import { hostFacts, type ListPrice, type TurnContext } from "../dialects/mod.ts";
import { ApiError } from "../base/errors.ts";
import type { MessageContext } from "./context.ts";
import type { LossReport } from "../dialects/loss.ts";
import type { Route } from "../upstreams/upstream.ts";
import { toHeaderName } from "../upstreams/find_route.ts";
import { refuseThread } from "./thread.ts";
import { withoutKey } from "../upstreams/send.ts";
import { sendTimed } from "./send_timed.ts";
import { sendTurn } from "./send_turn.ts";
import { toPatience } from "../upstreams/idle_timeout.ts";
import type { Ask } from "../anthropic/ask.ts";
import { readAnswer } from "./read_answer.ts";

/** What an {@linkcode Ask} is bound to. */
export interface AskOptions {
  route: Route;
  caller: Caller;
  signal: AbortSignal;
  loss: LossReport;
  /** How often the upstream may be asked again before it answers; none where asking has had an effect. */
  repeats: number;
  /** Makes sure that more may be spent. @throws {ApiError} `billing_error` where it may not. */
  permit(): Promise<void>;
  /** Hears what the turn used, however it ended, unless the upstream refused it. */
  onBill(bill: Bill, route: Route): void;
}

/** Creates the {@linkcode Ask} that goes to the upstream of a route. */
export function createAsk(
  context: MessageContext,
  { route, caller, signal, loss, repeats, permit, onBill }: AskOptions,
): Ask {
  const { config } = context;
  const patience = toPatience(context);
  return async function* (request) {
    refuseThread(request, route);
    const turn: TurnContext = {
      model: route.model,
      origin: toHeaderName(route),
      cacheControl: route.cacheControl,
      forgetful: route.forgetful,
      alias: route.alias,
      facts: route.facts,
      sessionId: caller.sessionId,
      inputTokens: context.inputCounter.guess(request, route),
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
    if (config.validation === "strict") refuseLosses(loss, route);
    await permit();
    signal.throwIfAborted();
    const tally = new Tally({ inputTokens: turn.inputTokens, price: toPrice(route) });
    const { response, watch } = await sendTimed(
      { signal, upstream: route.upstream, patience, onAbort: () => onBill(tally.toBill(undefined), route) },
      (timed) => sendTurn(context, route, { body, caller, repeats, ...timed }),
    );
    try {
      for await (const events of readAnswer(response, { context, route, reader, watch })) {
        tally.add(events);
        yield events;
      }
    } catch (error) {
      throw withoutKey(error, route.upstream, caller);
    } finally {
      watch.stop();
      onBill(tally.toBill(reader.cost), route);
      if (reader.inputTokens !== undefined) context.inputCounter.learn(request, route, reader.inputTokens);
    }
  };
}

/** Returns the price of a route's model: its host's for all models, or its own. */
function toPrice({ upstream, facts }: Route): ListPrice | undefined {
  return hostFacts(upstream.preset).price ?? facts.price;
}

/** @throws {ApiError} `invalid_request_error` if anything would be lost. */
function refuseLosses(loss: LossReport, { upstream, model }: Route): void {
  const lost = loss.serious.map(([path, action]) => `${path} (${action})`);
  if (lost.length === 0) return;
  const whom = `model "${model}" of upstream "${upstream.name}"`;
  throw new ApiError(
    "invalid_request_error",
    `Cannot tell ${whom} everything: ${lost.join(", ").slice(0, MAX_NAMED)}`,
  );
}

/** How much of the losses an error names, in characters. */
const MAX_NAMED = 4000;
