import type { StreamEvent } from "../anthropic/events.ts";
import type { AnswerReader, ServerSentEvent } from "../dialects/mod.ts";
import { ApiError } from "../base/errors.ts";
import { tryJson } from "../base/json.ts";
import { END, PassingGenerator, toPassing } from "../base/passing_generator.ts";
import { relay } from "../base/relay.ts";
import { redact } from "../base/redact.ts";
import { cleanMessage } from "../dialects/errors/error_shapes.ts";
import { detectFormat } from "../upstreams/response/answer_format.ts";
import type { MessageContext } from "./context.ts";
import type { Route } from "../upstreams/upstream.ts";
import { isContent } from "./hold.ts";
import { peekText, readBytes } from "../upstreams/response/read_body.ts";
import { toUtf8 } from "../upstreams/response/to_utf8.ts";
import { readEvents } from "../upstreams/response/read_events.ts";
import type { UpstreamResponse } from "../runtime/http/transport.ts";
import { readAnswerText, unreadableResponse } from "../upstreams/send.ts";
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
 * The first characters of the body decide, because some hosts declare one format and send the other.
 *
 * @throws {ApiError} `api_error` if the answer is in another format or incomplete; the error that the upstream
 * reports; the abort reason of the idle timer.
 */
export function readAnswer(
  response: UpstreamResponse,
  reading: ReadAnswerOptions,
): AsyncGenerator<StreamEvent[]> {
  return relay(() => detectAnswer(response, reading));
}

async function detectAnswer(
  response: UpstreamResponse,
  reading: ReadAnswerOptions,
): Promise<AsyncGenerator<StreamEvent[]>> {
  const { idleTimer, route: { upstream } } = reading;
  if (response.body === undefined) throw unreadableResponse(upstream, "it is empty");
  const contentType = response.headers.get("content-type") ?? "";
  const body = readBytes(response.body, idleTimer);
  let peeked: Awaited<ReturnType<typeof peekText>>;
  try {
    peeked = await peekText(toUtf8(body, contentType));
  } catch (cause) {
    throw toFailure(cause, reading);
  }
  const { start, chunks } = peeked;
  const type = contentType.split(";")[0]?.trim().toLowerCase() ?? "";
  const format = detectFormat(type, start);
  if (format === undefined) {
    // A proxy may report a failure in a plain text, with status 200.
    const words = type === "text/plain" ? await readAnswerText(chunks, upstream, idleTimer.signal) : "";
    await body.return(undefined);
    const what = /^(|text\/event-stream|application\/json)$/.test(type) ? "HTML" : type.slice(0, 64);
    const message = toPlainMessage(words);
    throw unreadableResponse(upstream, `it is ${what}, neither an event stream nor JSON${message}`);
  }
  if (format === "events") {
    return new StreamedAnswer(chunks, reading, () => void body.return(undefined));
  }
  const text = await readAnswerText(chunks, upstream, idleTimer.signal);
  return readWhole(text, reading);
}

async function* readWhole(text: string, reading: ReadAnswerOptions): AsyncGenerator<StreamEvent[]> {
  const { reader } = reading;
  const answer = tryJson(text);
  if (answer === undefined) await pushLines(text, reading);
  else reader.pushNonStreamed(answer);
  reader.end();
  yield reader.take();
}

/** Returns a short text for the message of an error, without API keys. */
function toPlainMessage(text: string): string {
  const words = cleanMessage(text);
  return words === undefined ? "" : `: ${redact(words).slice(0, MAX_PLAIN_CHARS)}`;
}

const MAX_PLAIN_CHARS = 300;

/** Time in which an upstream may send its usage, an error or the end of its stream after its reason to finish. */
const END_TIMEOUT_MS = 1000;

/** Reads an event stream. Events that were read before a failure are passed on before it. */
class StreamedAnswer extends PassingGenerator<StreamEvent[]> {
  readonly #batches: PassingGenerator<ServerSentEvent[]>;
  readonly #reading: ReadAnswerOptions;
  readonly #endBody: () => void;
  #cancelEnding: (() => void) | undefined;
  /** True if the last batch had content, and no wait began after it. */
  #hasContent = false;
  /** True if the message has its end. */
  #ended = false;
  /** True if nothing is read any more. */
  #closed = false;
  #failure: unknown;

  constructor(chunks: AsyncGenerator<Uint8Array>, reading: ReadAnswerOptions, endBody: () => void) {
    super();
    this.#batches = toPassing(readEvents(chunks));
    this.#reading = reading;
    this.#endBody = endBody;
  }

  poll(): IteratorResult<StreamEvent[], undefined> | undefined {
    const { reader } = this.#reading;
    while (!this.#closed) {
      try {
        const read = this.#batches.poll();
        if (read === undefined) return undefined;
        if (read.done) this.#end();
        else this.#push(read.value);
      } catch (cause) {
        this.#failure = this.#toFailure(cause);
        this.#close();
        this.#batches.abandon();
      }
      const events = reader.take();
      this.#hasContent = events.some(isContent);
      if (this.#hasContent) this.#reading.idleTimer.markStarted();
      if (events.length > 0) return { done: false, value: events };
    }
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure;
    return END;
  }

  ready(): Promise<void> {
    this.#limitEnding();
    return this.#batches.ready();
  }

  async return(): Promise<IteratorResult<StreamEvent[], undefined>> {
    this.#failure = undefined;
    this.#close();
    await this.#batches.return();
    return END;
  }

  #push(batch: readonly ServerSentEvent[]): void {
    const { reader, idleTimer } = this.#reading;
    idleTimer.markEvent();
    for (const event of batch) reader.push(event);
    if (reader.done && !this.#ended) {
      reader.end();
      this.#ended = true;
    }
  }

  /** Limits the time for the rest, once the message has its end or its reason to finish. */
  #limitEnding(): void {
    const isFinishing = this.#ended || this.#reading.reader.finishing;
    if (!isFinishing || (!this.#hasContent && this.#cancelEnding !== undefined)) return;
    this.#cancelEnding?.();
    this.#cancelEnding = this.#reading.context.clock.after(END_TIMEOUT_MS, this.#endBody);
    this.#hasContent = false;
  }

  /** Reads the end of the stream. */
  #end(): void {
    if (!this.#ended) this.#reading.reader.end();
    this.#closed = true;
    this.#cancelEnding?.();
  }

  #close(): void {
    this.#closed = true;
    this.#cancelEnding?.();
  }

  /** Returns the failure of the answer, or `undefined` if the answer is complete without what could not be read. */
  #toFailure(cause: unknown): unknown {
    const { reader, idleTimer } = this.#reading;
    // All was said before its end, even if the connection fails then, or nothing follows.
    const isComplete = (this.#ended || reader.finishing) && !idleTimer.signal.aborted &&
      !(cause instanceof ApiError);
    if (!isComplete) return toFailure(cause, this.#reading);
    return this.#ended ? undefined : tryEnd(reader);
  }
}

function tryEnd(reader: AnswerReader): unknown {
  try {
    reader.end();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Reads a JSON body that holds several values, each on lines of its own, as events. */
async function pushLines(text: string, { reader, route: { upstream } }: ReadAnswerOptions): Promise<void> {
  let events = 0;
  for await (const batch of readEvents(toChunks(text))) {
    for (const event of batch) reader.push(event);
    events += batch.length;
  }
  if (events === 0) throw unreadableResponse(upstream, "it is not JSON");
}

async function* toChunks(text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text);
}

function toFailure(cause: unknown, { route: { upstream }, idleTimer }: ReadAnswerOptions): unknown {
  if (idleTimer.signal.aborted) return idleTimer.signal.reason;
  if (cause instanceof ApiError) return cause;
  const what = `Cannot finish the answer: upstream "${upstream.name}" closed its stream early`;
  return new ApiError("api_error", what, { status: 502, cause });
}
