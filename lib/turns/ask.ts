import type { Caller } from "../access/caller.ts";
import { emptyClearedMessages } from "../anthropic/cleared_messages.ts";
import { requestedThinking } from "../tokens/requested_thinking.ts";
import { type TurnUsage, UsageTally } from "../tokens/turn_usage.ts";
import { countOverflow } from "../dialects/errors/count_overflow.ts";
import { type AnswerReader, appliesSystemChanges } from "../dialects/mod.ts";
import { ApiError, toApiError } from "../base/errors.ts";
import { relay, tap, type TapOptions } from "../base/relay.ts";
import type { JsonObject } from "../base/json.ts";
import type { MessageContext } from "./context.ts";
import type { LossReport } from "../dialects/loss.ts";
import type { Route } from "../upstreams/upstream.ts";
import { type PreparedTurn, prepareTurn } from "./prepare_turn.ts";
import { nextTask } from "../runtime/next_task.ts";
import { rejectThread } from "./thread.ts";
import type { RequestObserver, TurnObserver } from "../observability/request_observer.ts";
import { logWarning } from "../observability/log.ts";
import { redactKey } from "../upstreams/redact_key.ts";
import { toRouteLabel } from "../upstreams/route_label.ts";
import { listPriceOf } from "../upstreams/list_price.ts";
import { send } from "../upstreams/send.ts";
import type { UpstreamResponse } from "../runtime/http/transport.ts";
import { withRouteOptions } from "./route_options.ts";
import { toUpstreamCaller } from "./upstream_caller.ts";
import { type IdleTimer, isAbandoned, startIdleTimer, timeoutsFrom } from "../upstreams/idle_timeout.ts";
import type { Ask } from "../anthropic/ask.ts";
import type { StreamEvent } from "../anthropic/events.ts";
import type { MessagesRequest } from "../anthropic/schema.ts";
import { isContent } from "./hold.ts";
import { isLeft, type Metering, readOn } from "./read_on.ts";
import { readAnswer } from "./read_answer.ts";

/** Options of {@linkcode createAsk}. */
export interface AskOptions {
  caller: Caller;
  signal: AbortSignal;
  /** True if `null` in the place of optional properties is removed from an answer with an output schema. */
  restoresNulls?: boolean;
  admission: Metering & {
    /** Checks that the caller may spend more. @throws {ApiError} `billing_error` if its budget is spent. */
    assertBudget(): Promise<void>;
  };
  /** Receives the turn's start and end, and its retries. */
  observer: RequestObserver;
  /** Called with the usage of a turn when it ends, complete or not. Not called if the upstream rejected the request. */
  onUsage(usage: TurnUsage, route: Route): void;
  /** Called with the headers of each response of the upstream, successful or not. */
  onHeaders?: ((headers: Headers, route: Route) => void) | undefined;
}

/** How one turn is sent. */
export interface TurnOptions {
  route: Route;
  loss: LossReport;
  /** Maximum number of retries before the answer starts; 0 after a tool has run. */
  retries: number;
}

/** Creates the {@linkcode Ask} that sends a turn to the upstream of a route. */
export function createAsk(context: MessageContext, options: AskOptions, turn: TurnOptions): Ask {
  return (original) => relay(() => begin(original, context, options, turn));
}

/** Prepares a turn and sends it. If the turn is metered, the first read of what it returns sends it. */
async function begin(
  original: MessagesRequest,
  context: MessageContext,
  options: AskOptions,
  turn: TurnOptions,
): Promise<AsyncGenerator<StreamEvent[]>> {
  const { caller, signal, restoresNulls, admission } = options;
  const { route, loss } = turn;
  const clears = appliesSystemChanges(route.upstream.preset, route.dialect);
  const request = clears ? original : emptyClearedMessages(original);
  rejectThread(request, route);
  // The conversion of a large request is a task of its own: other requests continue before and after it.
  const isLarge = context.inputCounter.estimate(request, route) > LARGE_INPUT_TOKENS;
  if (isLarge) await nextTask();
  const prepared = await prepareTurn(context, request, { route, caller, restoresNulls, loss });
  if (route.dialect.name !== "anthropic") reportHeaders(caller, loss);
  if (context.config.validation === "strict") rejectLosses(loss, route);
  await admission.assertBudget();
  if (isLarge) await nextTask();
  signal.throwIfAborted();
  const sent = new SentTurn(context, options, turn, { request, prepared });
  if (!admission.metered) return await sent.send(signal);
  const { clock, shutdown } = context;
  return readOn((upstreamSignal) => relay(() => sent.send(upstreamSignal)), {
    signal,
    clock,
    shutdown,
    admission,
  });
}

/** A turn at its upstream: the request, then the answer until its end. */
class SentTurn implements TapOptions {
  readonly #context: MessageContext;
  readonly #options: AskOptions;
  readonly #turn: TurnOptions;
  /** The client's request in Anthropic's format. */
  readonly #request: MessagesRequest;
  readonly #reader: AnswerReader;
  readonly #tally: UsageTally;
  #observer: TurnObserver | undefined;
  #startedAt = 0;
  /** What is sent. Undefined once the upstream has answered. */
  #sent: { body: JsonObject; betas: string | undefined } | undefined;
  /** Aborts the upstream's request. */
  #signal: AbortSignal;
  #idleTimer: IdleTimer | undefined;
  #usage: TurnUsage | undefined;
  #stopReason: string | undefined;
  #failure: unknown;
  /** True once the answer has content. */
  #answers = false;

  constructor(
    context: MessageContext,
    options: AskOptions,
    turn: TurnOptions,
    { request, prepared: { body, betas, reader } }: { request: MessagesRequest; prepared: PreparedTurn },
  ) {
    const { route } = turn;
    const { inputCounter } = context;
    const sentBody = withRouteOptions(body, route);
    this.#context = context;
    this.#options = options;
    this.#turn = turn;
    this.#request = request;
    this.#reader = reader;
    this.#sent = { body: sentBody, betas };
    this.#signal = options.signal;
    this.#tally = new UsageTally({
      price: listPriceOf(route),
      countInput: () => inputCounter.count(request, route).tokens,
      correctOutput: (tokens) => inputCounter.correctOutput(tokens, route),
      requestedThinking: requestedThinking(sentBody, { maxTokens: request.max_tokens, facts: route.facts }),
      maxTokens: request.max_tokens,
    });
  }

  /** Sends the request, and returns its answer. The signal aborts both. */
  async send(signal: AbortSignal): Promise<AsyncGenerator<StreamEvent[]>> {
    const context = this.#context;
    const { route } = this.#turn;
    const { upstream, model, dialect } = route;
    this.#signal = signal;
    this.#startedAt = context.clock.now();
    const observer = this.#observer = this.#options.observer.startTurn({
      upstream: upstream.name,
      baseUrl: upstream.baseUrl,
      model,
      dialect: dialect.name,
      maxTokens: this.#request.max_tokens,
    });
    const idleTimer = this.#idleTimer = startIdleTimer(signal, upstream, timeoutsFrom(context));
    let response: UpstreamResponse;
    try {
      response = await observer.run(() => this.#sendRequest(idleTimer));
    } catch (error) {
      idleTimer.stop();
      if (isAbandoned(idleTimer)) this.#charge();
      this.#reportFailure(error);
      observer.end({ usage: this.#usage, error: this.#isLeft ? undefined : error });
      throw this.#toFailure(error);
    }
    this.#sent = undefined;
    const answer = readAnswer(response, { context, route, reader: this.#reader, idleTimer });
    return tap(answer, (events) => this.#add(events), this);
  }

  fail(error: unknown): unknown {
    this.#reportFailure(error);
    return this.#failure = this.#toFailure(error);
  }

  end({ complete }: { complete: boolean }): void {
    const { route } = this.#turn;
    const { unknownStop, inputTokens } = this.#reader;
    if (complete && unknownStop !== undefined) {
      const fields = { model: toRouteLabel(route), reason: unknownStop.slice(0, 100) };
      logWarning("an answer ended for an unknown reason", fields, "upstream");
    }
    this.#idleTimer?.stop();
    this.#charge();
    this.#observer?.end({
      usage: this.#usage,
      stopReason: this.#stopReason,
      error: this.#isLeft ? undefined : this.#failure,
    });
    if (inputTokens !== undefined) this.#context.inputCounter.learn(this.#request, route, inputTokens);
  }

  #sendRequest({ signal, waits }: IdleTimer): Promise<UpstreamResponse> {
    const { route, retries } = this.#turn;
    const { caller, observer, onHeaders, signal: clientSignal } = this.#options;
    const { upstream, dialect } = route;
    const { body, betas } = this.#sent ?? {};
    return send(this.#context, upstream, {
      path: dialect.path,
      body,
      caller: toUpstreamCaller(caller, betas, route),
      retries,
      signal,
      waits,
      clientSignal,
      onHeaders: onHeaders && ((headers) => onHeaders(headers, route)),
      onRetry: (retry) => observer.onRetry(upstream.name, retry),
    });
  }

  #add(events: readonly StreamEvent[]): void {
    this.#tally.add(events);
    for (const event of events) {
      if (!this.#answers && isContent(event)) {
        this.#answers = true;
        this.#context.targetHealth.succeed(this.#turn.route, this.#startedAt);
      }
      if (event.type === "message_delta") this.#stopReason = event.delta.stop_reason ?? undefined;
    }
    if (this.#reader.unknownStop !== undefined) this.#turn.loss.add("answer.stop_reason", "approximated");
  }

  /** True if the client has left. */
  get #isLeft(): boolean {
    return isLeft(this.#signal);
  }

  #charge(): void {
    this.#usage = this.#tally.toTurnUsage(this.#reader, { left: this.#isLeft });
    this.#options.onUsage(this.#usage, this.#turn.route);
  }

  /** What ends with the client's request or its time limit is no failure of the upstream. */
  #reportFailure(error: unknown): void {
    if (this.#signal.aborted || this.#options.signal.aborted) return;
    reportFailure(this.#context, this.#turn.route, { error, startedAt: this.#startedAt });
  }

  #toFailure(error: unknown): unknown {
    const { route } = this.#turn;
    return countOverflow(redactKey(error, route.upstream, this.#options.caller), () => ({
      inputTokens: this.#context.inputCounter.count(this.#request, route).tokens,
      contextLength: route.facts.contextLength,
    }));
  }
}

/** Records the failure of an upstream, and logs the pause that it begins. */
function reportFailure(
  { targetHealth }: MessageContext,
  route: Route,
  { error, startedAt }: { error: unknown; startedAt: number },
): void {
  const failure = toApiError(error);
  const cooldown = targetHealth.fail(route, { error: failure, startedAt });
  if (cooldown === undefined) return;
  const { status, failures, since, until } = cooldown;
  const fields = { model: route.key, status, failures, seconds: (until - since) / 1000 };
  logWarning("a model failed and is skipped for a while", fields, "upstream");
}

/** Estimated input of a large request. */
const LARGE_INPUT_TOKENS = 100_000;

/** Reports the client's headers of Anthropic's API, which have no meaning in other dialects. */
function reportHeaders({ userProfileId, workspaceId }: Caller, loss: LossReport): void {
  if (userProfileId !== undefined) loss.add("header.anthropic-user-profile-id", "dropped");
  if (workspaceId !== undefined) loss.add("header.anthropic-workspace-id", "dropped");
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
