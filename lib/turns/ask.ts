import type { Caller } from "../access/caller.ts";
import type { StreamEvent } from "../anthropic/events.ts";
import type { MessagesRequest } from "../anthropic/schema.ts";
import { type Bill, Tally } from "../tokens/turn_usage.ts";
import type { AnswerReader, ListPrice, TurnContext } from "../dialects/mod.ts";
import { ApiError } from "../base/errors.ts";
import type { Gateway } from "./context.ts";
import type { LossReport } from "../dialects/loss.ts";
import type { Route } from "../upstreams/resolve.ts";
import { toHeaderName } from "../upstreams/find_route.ts";
import { isSubstance } from "./hold.ts";
import { readEvents } from "../upstreams/read_events.ts";
import { refuseThread } from "./thread.ts";
import { readWhole, sendTurn, withoutKey } from "../upstreams/send.ts";
import { startWatch, toPatience, type Watch } from "../upstreams/idle_timeout.ts";

/**
 * Asks for one turn and gives the events of its answer, in batches as the network brings them.
 *
 * Whatever wraps it, to run tools or to check the answer, has the same form.
 */
export type Ask = (request: MessagesRequest) => AsyncGenerator<StreamEvent[]>;

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
  gateway: Gateway,
  { route, caller, signal, loss, repeats, permit, onBill }: AskOptions,
): Ask {
  const { config } = gateway;
  const patience = toPatience(gateway);
  return async function* (request) {
    refuseThread(request, route);
    const context: TurnContext = {
      model: route.model,
      origin: toHeaderName(route),
      cacheControl: route.cacheControl,
      forgetful: route.forgetful,
      alias: route.alias,
      facts: route.facts,
      sessionId: caller.sessionId,
      inputTokens: gateway.inputCounter.guess(request, route),
      coerceToolInput: config.coerceToolInput === "on",
      toolCallsInText: config.toolCallsInText,
      newId: gateway.newId,
      loss,
    };
    const reader = route.dialect.createReader(request, context);
    const body = route.dialect.toBody(request, context);
    // A beta means something to those alone who speak the language that it changes.
    if (caller.betas !== undefined && route.dialect.name !== "anthropic") {
      loss.add("header.anthropic-beta", "dropped");
    }
    if (config.validation === "strict") refuseLosses(loss, route);
    await permit();
    signal.throwIfAborted();
    const tally = new Tally({ inputTokens: context.inputTokens, price: toPrice(route) });
    const watch = startWatch(signal, route.upstream, patience);
    let response: Response;
    try {
      const { signal, listen } = watch;
      response = await sendTurn(gateway, route, { body, caller, signal, listen, repeats });
    } catch (error) {
      watch.stop();
      // Whoever is broken off while being waited for has been asked, and may be at work: that is not free.
      if (watch.signal.aborted && watch.waiting) onBill(tally.toBill(undefined), route);
      throw error;
    }
    try {
      for await (const events of readAnswer(response, { gateway, route, reader, watch })) {
        tally.add(events);
        yield events;
      }
    } catch (error) {
      throw withoutKey(error, route.upstream, caller);
    } finally {
      watch.stop();
      onBill(tally.toBill(reader.cost), route);
      if (reader.inputTokens !== undefined) gateway.inputCounter.learn(request, route, reader.inputTokens);
    }
  };
}

/** What is embedded costs nothing. */
function toPrice({ upstream, facts }: Route): ListPrice | undefined {
  return upstream.fetch === undefined ? facts.price : { input: 0, output: 0 };
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

interface Reading {
  gateway: Gateway;
  route: Route;
  reader: AnswerReader;
  watch: Watch;
}

async function* readAnswer(response: Response, reading: Reading): AsyncGenerator<StreamEvent[]> {
  const { reader, watch, route: { upstream } } = reading;
  const type = response.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase() ?? "";
  if (type === "application/json") {
    reader.whole(await readWhole(response, upstream, watch));
    reader.end();
    yield reader.take();
  } else if (response.body === null || (type !== "" && type !== "text/event-stream")) {
    await response.body?.cancel();
    const what = response.body === null
      ? "it is empty"
      : `it is ${type.slice(0, 64)}, neither an event stream nor JSON`;
    throw new ApiError("api_error", `Cannot read the answer of upstream "${upstream.name}": ${what}`, {
      status: 502,
    });
  } else {
    yield* readStream(response.body, reading);
  }
}

/** How long an upstream may keep its connection open after its last word, in milliseconds; it can be used again. */
const LINGER = 1000;

async function* readStream(
  body: ReadableStream<Uint8Array>,
  { gateway: { clock }, route: { upstream }, reader, watch }: Reading,
): AsyncGenerator<StreamEvent[]> {
  const enough = new AbortController();
  let stopWaiting: (() => void) | undefined;
  const signal = AbortSignal.any([watch.signal, enough.signal]);
  try {
    for await (const batch of readEvents(body, { signal, listen: watch.listen })) {
      for (const event of batch) reader.push(event);
      if (reader.done && stopWaiting === undefined) {
        reader.end();
        stopWaiting = clock.after(LINGER, () => enough.abort());
      }
      const events = reader.take();
      if (events.some(isSubstance)) watch.begin();
      if (events.length > 0) yield events;
    }
    if (stopWaiting !== undefined) return;
    reader.end();
    yield reader.take();
  } catch (cause) {
    // However the connection ends after the last word, everything was said.
    if (stopWaiting !== undefined && !watch.signal.aborted) return;
    // What was understood before the failure still belongs to the client.
    const events = reader.take();
    if (events.length > 0) yield events;
    if (watch.signal.aborted) throw watch.signal.reason;
    if (cause instanceof ApiError) throw cause;
    const what = `Cannot finish the answer: upstream "${upstream.name}" broke its stream off`;
    throw new ApiError("api_error", what, { status: 502, cause });
  } finally {
    stopWaiting?.();
  }
}
