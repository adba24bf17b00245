import type { StreamEvent } from "../anthropic/events.ts";
import type { AnswerReader } from "../dialects/mod.ts";
import { ApiError } from "../base/errors.ts";
import type { MessageContext } from "./context.ts";
import type { Route } from "../upstreams/upstream.ts";
import { isContent } from "./hold.ts";
import { readEvents } from "../upstreams/read_events.ts";
import { readJsonResponse } from "../upstreams/send.ts";
import type { IdleTimer } from "../upstreams/idle_timeout.ts";

/** Options of {@linkcode readAnswer}. */
export interface ReadAnswerOptions {
  context: Pick<MessageContext, "clock">;
  route: Route;
  reader: AnswerReader;
  idleTimer: IdleTimer;
}

/**
 * Reads an upstream's answer, an event stream or a JSON body, as Anthropic's events.
 *
 * @throws {ApiError} `api_error` if the answer is in another format or incomplete; the error that the upstream
 * reports; the abort reason of the idle timer.
 */
export async function* readAnswer(
  response: Response,
  reading: ReadAnswerOptions,
): AsyncGenerator<StreamEvent[]> {
  const { reader, idleTimer, route: { upstream } } = reading;
  const type = response.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase() ?? "";
  if (type === "application/json") {
    reader.pushNonStreamed(await readJsonResponse(response, upstream, idleTimer));
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

/**
 * Time for an upstream to close its stream after its last event, in milliseconds. A connection whose stream was closed
 * can be reused.
 */
const DRAIN_TIMEOUT_MS = 1000;

async function* readStream(
  body: ReadableStream<Uint8Array>,
  { context: { clock }, route: { upstream }, reader, idleTimer }: ReadAnswerOptions,
): AsyncGenerator<StreamEvent[]> {
  const drainTimeout = new AbortController();
  let cancelDrain: (() => void) | undefined;
  const signal = AbortSignal.any([idleTimer.signal, drainTimeout.signal]);
  try {
    for await (const batch of readEvents(body, { signal, race: idleTimer.race })) {
      for (const event of batch) reader.push(event);
      if (reader.done && cancelDrain === undefined) {
        reader.end();
        cancelDrain = clock.after(DRAIN_TIMEOUT_MS, () => drainTimeout.abort());
      }
      const events = reader.take();
      if (events.some(isContent)) idleTimer.markStarted();
      if (events.length > 0) yield events;
    }
    if (cancelDrain !== undefined) return;
    reader.end();
    yield reader.take();
  } catch (cause) {
    // The answer is complete after its last event, even if the connection fails then.
    if (cancelDrain !== undefined && !idleTimer.signal.aborted) return;
    // The client still receives the events that were read before the failure.
    const events = reader.take();
    if (events.length > 0) yield events;
    if (idleTimer.signal.aborted) throw idleTimer.signal.reason;
    if (cause instanceof ApiError) throw cause;
    const what = `Cannot finish the answer: upstream "${upstream.name}" closed its stream early`;
    throw new ApiError("api_error", what, { status: 502, cause });
  } finally {
    cancelDrain?.();
  }
}
