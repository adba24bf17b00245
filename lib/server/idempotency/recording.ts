import { ApiError } from "../../base/errors.ts";

/** Status and headers of a recorded response. */
export interface ResponseHead {
  status: number;
  headers: readonly [name: string, value: string][];
}

/** Receives what is recorded, in order. */
export interface RecordingSink {
  onHead?(head: ResponseHead): void;
  onPiece?(piece: Uint8Array): void;
  /** Called once: with an error if there is no response. Nobody receives the end before it has settled. */
  onEnd(error?: unknown): Promise<void> | void;
}

/** Maximum size of a recorded body, in bytes. The text of an answer has at most 32 MiB; its events take more. */
const MAX_RECORDED_BYTES = 64 * 1024 * 1024;

/**
 * A response that is read to its end, with or without readers. Any number of requests receive it from its start.
 *
 * The pieces of the body stay in memory while the recording is in use.
 */
export class Recording {
  readonly fingerprint: string;
  readonly #head: Promise<ResponseHead>;
  readonly #pieces: Uint8Array[] = [];
  #ended = false;
  #failure: unknown;
  #bytes = 0;
  #notify = () => {};
  #changed!: Promise<void>;

  /** Starts the request and reads its response. */
  constructor(fingerprint: string, start: () => Promise<Response>, sink: RecordingSink) {
    this.fingerprint = fingerprint;
    this.#renew();
    this.#head = this.#begin(start(), sink);
    this.#head.catch(() => {}); // the requests for the response receive the error
  }

  /** Size of the recorded body so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Returns the response from its start; the rest follows as it is recorded. Cancelling its body does not end the
   * recording.
   *
   * @throws the error of the request, if it failed before its response.
   */
  async toResponse(): Promise<Response> {
    const { status, headers } = await this.#head;
    let at = 0;
    const body = new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        while (at >= this.#pieces.length && !this.#ended) await this.#changed;
        const piece = this.#pieces[at++];
        if (piece === undefined && this.#failure !== undefined) controller.error(this.#failure);
        else if (piece === undefined) controller.close();
        else controller.enqueue(piece.slice()); // the receiver may transfer its buffer
      },
    }, { highWaterMark: 0 });
    return new Response(body, { status, headers: toHeaders(headers) });
  }

  async #begin(pending: Promise<Response>, sink: RecordingSink): Promise<ResponseHead> {
    try {
      const response = await pending;
      const head = { status: response.status, headers: [...response.headers] };
      sink.onHead?.(head);
      void this.#record(response, sink);
      return head;
    } catch (error) {
      await sink.onEnd(error);
      throw error;
    }
  }

  async #record(response: Response, sink: RecordingSink): Promise<void> {
    try {
      const reader = response.body?.getReader();
      while (reader !== undefined) {
        const { done, value } = await reader.read();
        if (done) break;
        if (this.#bytes + value.byteLength > MAX_RECORDED_BYTES) {
          await reader.cancel();
          throw new ApiError("api_error", "Cannot keep the answer: it is larger than 64 MiB");
        }
        this.#pieces.push(value);
        this.#bytes += value.byteLength;
        sink.onPiece?.(value);
        this.#wake();
      }
    } catch (error) {
      this.#failure = error;
    }
    await sink.onEnd(this.#failure);
    this.#end();
  }

  #end(): void {
    this.#ended = true;
    this.#wake();
  }

  #wake(): void {
    const notify = this.#notify;
    this.#renew();
    notify();
  }

  #renew(): void {
    this.#changed = new Promise((resolve) => this.#notify = resolve);
  }
}

/** Returns the headers of a replay: those that describe the answer, not the exchange in which it was made. */
export function toHeaders(headers: ResponseHead["headers"]): Headers {
  return new Headers(headers.filter(([name]) => !EXCHANGE_HEADERS.test(name)));
}

const EXCHANGE_HEADERS =
  /^(request-id|x-correlation-id|content-length|anthropic-ratelimit-.*|access-control-.*|vary)$/i;
