import type { StreamEvent } from "../anthropic/events.ts";
import type { AnswerReader } from "../dialects/mod.ts";
import { ApiError } from "../base/errors.ts";
import type { MessageContext } from "./context.ts";
import type { Route } from "../upstreams/upstream.ts";
import { isContent } from "./hold.ts";
import { readEvents } from "../upstreams/read_events.ts";
import { readJsonResponse } from "../upstreams/send.ts";
import type { IdleTimer } from "../upstreams/idle_timeout.ts";

interface ReadAnswerOptions {
  context: Pick<MessageContext, "clock">;
  route: Route;
  reader: AnswerReader;
  watch: IdleTimer;
}

export async function* readAnswer(
  response: Response,
  reading: ReadAnswerOptions,
): AsyncGenerator<StreamEvent[]> {
  const { reader, watch, route: { upstream } } = reading;
  const type = response.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase() ?? "";
  if (type === "application/json") {
    reader.pushNonStreamed(await readJsonResponse(response, upstream, watch));
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
const CONNECTION_REUSE_MS = 1000;

async function* readStream(
  body: ReadableStream<Uint8Array>,
  { context: { clock }, route: { upstream }, reader, watch }: ReadAnswerOptions,
): AsyncGenerator<StreamEvent[]> {
  const enough = new AbortController();
  let stopWaiting: (() => void) | undefined;
  const signal = AbortSignal.any([watch.signal, enough.signal]);
  try {
    for await (const batch of readEvents(body, { signal, race: watch.race })) {
      for (const event of batch) reader.push(event);
      if (reader.done && stopWaiting === undefined) {
        reader.end();
        stopWaiting = clock.after(CONNECTION_REUSE_MS, () => enough.abort());
      }
      const events = reader.take();
      if (events.some(isContent)) watch.markStarted();
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
