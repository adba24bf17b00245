import type { Caller } from "../access/caller.ts";
import { emptyClearedMessages } from "../anthropic/cleared_messages.ts";
import { requestedThinking } from "../tokens/requested_thinking.ts";
import { type TurnUsage, UsageTally } from "../tokens/turn_usage.ts";
import { countOverflow } from "../dialects/errors/count_overflow.ts";
import { appliesSystemChanges } from "../dialects/mod.ts";
import { ApiError, toApiError } from "../base/errors.ts";
import { relay, tap } from "../base/relay.ts";
import type { MessageContext } from "./context.ts";
import type { LossReport } from "../dialects/loss.ts";
import type { Route } from "../upstreams/upstream.ts";
import { prepareTurn } from "./prepare_turn.ts";
import { nextTask } from "../runtime/next_task.ts";
import { rejectThread } from "./thread.ts";
import type { RequestObserver } from "../observability/request_observer.ts";
import { toTurnStart } from "./turn_start.ts";
import { logWarning } from "../observability/log.ts";
import { redactKey } from "../upstreams/redact_key.ts";
import { toRouteLabel } from "../upstreams/route_label.ts";
import { listPriceOf } from "../upstreams/list_price.ts";
import { sendTimed, type TimedResponse } from "./send_timed.ts";
import { sendTurn } from "./send_turn.ts";
import { timeoutsFrom } from "../upstreams/idle_timeout.ts";
import type { Ask } from "../anthropic/ask.ts";
import type { StreamEvent } from "../anthropic/events.ts";
import type { MessagesRequest } from "../anthropic/schema.ts";
import { isContent } from "./hold.ts";
import { isLeft, type Metering, readOn } from "./read_on.ts";
import { readAnswer } from "./read_answer.ts";

/** Options of {@linkcode createAsk}. */
export interface AskOptions {
  route: Route;
  caller: Caller;
  signal: AbortSignal;
  loss: LossReport;
  /** Maximum number of retries before the answer starts; 0 after a tool has run. */
  retries: number;
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

/** Creates the {@linkcode Ask} that sends a turn to the upstream of a route. */
export function createAsk(
  context: MessageContext,
  { route, caller, signal, loss, retries, restoresNulls, admission, observer, onUsage, onHeaders }:
    AskOptions,
): Ask {
  const { config } = context;
  const timeouts = timeoutsFrom(context);
  return (original) => relay(() => begin(original));

  /** Prepares a turn. What it returns sends the turn with the first read. */
  async function begin(original: MessagesRequest): Promise<AsyncGenerator<StreamEvent[]>> {
    const clears = appliesSystemChanges(route.upstream.preset, route.dialect);
    const request = clears ? original : emptyClearedMessages(original);
    rejectThread(request, route);
    // The conversion of a large request is a task of its own: other requests continue before and after it.
    const isLarge = context.inputCounter.estimate(request, route) > LARGE_INPUT_TOKENS;
    if (isLarge) await nextTask();
    const { body, reader, betas } = await prepareTurn(context, request, {
      route,
      caller,
      restoresNulls,
      loss,
    });
    if (route.dialect.name !== "anthropic") reportHeaders(caller, loss);
    if (config.validation === "strict") rejectLosses(loss, route);
    await admission.assertBudget();
    if (isLarge) await nextTask();
    signal.throwIfAborted();
    const { clock, shutdown, inputCounter } = context;
    const tally = new UsageTally({
      price: listPriceOf(route),
      countInput: () => inputCounter.count(request, route).tokens,
      correctOutput: (tokens) => inputCounter.correctOutput(tokens, route),
      requestedThinking: requestedThinking({ ...body, ...route.options }, {
        maxTokens: request.max_tokens,
        facts: route.facts,
      }),
      maxTokens: request.max_tokens,
    });
    const toFailure = (error: unknown) =>
      countOverflow(redactKey(error, route.upstream, caller), () => ({
        inputTokens: inputCounter.count(request, route).tokens,
        contextLength: route.facts.contextLength,
      }));
    return admission.metered
      ? readOn((upstreamSignal) => relay(() => answer(upstreamSignal)), {
        signal,
        clock,
        shutdown,
        admission,
      })
      : await answer(signal);

    /** Sends the request, and returns its answer. `upstreamSignal` aborts both. */
    async function answer(upstreamSignal: AbortSignal): Promise<AsyncGenerator<StreamEvent[]>> {
      const turn = observer.startTurn({ ...toTurnStart(route), maxTokens: request.max_tokens });
      let usage: TurnUsage | undefined;
      let stopReason: string | null | undefined;
      let failure: unknown;
      let answers = false;
      const startedAt = clock.now();
      // What ends with the client's request or its time limit is no failure of the upstream.
      const onFailure = (error: unknown) => {
        if (!upstreamSignal.aborted && !signal.aborted) reportFailure(context, route, { error, startedAt });
      };
      const endTurn = () => {
        usage = tally.toTurnUsage(reader, { left: isLeft(upstreamSignal) });
        onUsage(usage, route);
      };
      const send = () =>
        sendTimed(
          { signal: upstreamSignal, upstream: route.upstream, timeouts, onAbort: endTurn },
          (timed) =>
            sendTurn(context, route, {
              body,
              caller: { ...caller, betas },
              retries,
              clientSignal: signal,
              onHeaders: (headers) => onHeaders?.(headers, route),
              onRetry: (retry) => observer.onRetry(route.upstream.name, retry),
              ...timed,
            }),
        );
      let timedResponse: TimedResponse;
      try {
        timedResponse = await turn.run(send);
      } catch (error) {
        onFailure(error);
        turn.end({ usage, error: isLeft(upstreamSignal) ? undefined : error });
        throw toFailure(error);
      }
      const { response, idleTimer } = timedResponse;
      const addEvents = (events: readonly StreamEvent[]) => {
        tally.add(events);
        if (!answers && events.some(isContent)) {
          answers = true;
          context.targetHealth.succeed(route, startedAt);
        }
        for (const event of events) if (event.type === "message_delta") stopReason = event.delta.stop_reason;
        if (reader.unknownStop !== undefined) loss.add("answer.stop_reason", "approximated");
      };
      return tap(readAnswer(response, { context, route, reader, idleTimer }), addEvents, {
        fail(error) {
          onFailure(error);
          return failure = toFailure(error);
        },
        end({ complete }) {
          if (complete && reader.unknownStop !== undefined) {
            const reason = reader.unknownStop.slice(0, 100);
            const fields = { model: toRouteLabel(route), reason };
            logWarning("an answer ended for an unknown reason", fields, "upstream");
          }
          idleTimer.stop();
          endTurn();
          turn.end({
            usage,
            stopReason: stopReason ?? undefined,
            error: isLeft(upstreamSignal) ? undefined : failure,
          });
          if (reader.inputTokens !== undefined) inputCounter.learn(request, route, reader.inputTokens);
        },
      });
    }
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
