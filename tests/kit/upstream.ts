import { tryJsonBody } from "../../lib/base/encoding/encode_json.ts";
import { cutAt, toBytes } from "./bytes.ts";
import { isJson, type Json } from "./json.ts";

/** A response of a fake upstream. */
export interface FakeResponse {
  status?: number;
  /** Default: those of an event stream. */
  headers?: Record<string, string>;
  /** The whole body, its pieces (one for each read), or a stream that the test writes to. */
  body?: string | Uint8Array | readonly Uint8Array[] | ReadableStream<Uint8Array>;
  /** The offsets at which a whole body is cut into pieces. */
  cuts?: readonly number[];
  /** Event after the last piece: the end of the body, a broken connection, or none. */
  ending?: "close" | "reset" | "open";
  /** True if an aborted request does not end the body, as that of a real `fetch` would. */
  ignoresAbort?: boolean;
}

/** Reply to a request: a response, none until the request is aborted, or a rejected `fetch`. */
export type FakeReply = FakeResponse | "no headers" | Error;

/** A request that reached a fake upstream. */
export interface SentRequest {
  url: string;
  method: string;
  headers: Headers;
  /** The body if it was a JSON object, otherwise an empty object. */
  body: Json;
  init: RequestInit;
}

/** The replies in order, of which the last one repeats, or a function of the number of earlier requests. */
export type FakeReplies = FakeReply | readonly FakeReply[] | ((nth: number) => FakeReply);

/** An upstream without a network: it sends the replies of a test, and records the requests. */
export class FakeUpstream {
  /** The `POST` requests, in order. */
  readonly requests: SentRequest[] = [];
  /** The requests for the list of models, in order. */
  readonly listRequests: SentRequest[] = [];
  /** Resolves when the gateway waits for headers or bytes that will not arrive. */
  stalled: Promise<void> = Promise.resolve();
  #resolveStalled = () => {};
  readonly #toReply: (nth: number) => FakeReply;
  readonly #models: string | undefined;
  #openBodies = 0;
  #openRequests = 0;

  /** `models` is the body of the list of models; without it, the upstream has no list (404). */
  constructor(replies: FakeReplies = {}, { models }: { models?: string | undefined } = {}) {
    this.#toReply = typeof replies === "function" ? replies : (nth) => toReply(replies, nth);
    this.#models = models;
    this.resetStalled();
  }

  /** Makes `stalled` wait for the next stall. */
  resetStalled(): void {
    this.stalled = new Promise((resolve) => this.#resolveStalled = resolve);
  }

  /** True if no request is pending and every body has ended or was cancelled. */
  get idle(): boolean {
    return this.#openBodies === 0 && this.#openRequests === 0;
  }

  readonly fetch: typeof fetch = (input, init = {}) => {
    const { method = "GET", headers, body, signal } = init;
    const json = tryJsonBody(body);
    const request: SentRequest = {
      url: String(input),
      method,
      headers: new Headers(headers),
      body: isJson(json) ? json : {},
      init,
    };
    if (method !== "POST") {
      this.listRequests.push(request);
      return Promise.resolve(toModelList(this.#models));
    }
    this.requests.push(request);
    if (signal?.aborted) return Promise.reject(signal.reason);
    const reply = this.#toReply(this.requests.length - 1);
    if (reply instanceof Error) return Promise.reject(reply);
    if (reply === "no headers") return this.#pend(signal ?? undefined);
    return Promise.resolve(this.#respond(reply, signal ?? undefined));
  };

  #pend(signal: AbortSignal | undefined): Promise<Response> {
    this.#openRequests++;
    this.#resolveStalled();
    return new Promise((_resolve, reject) => {
      signal?.addEventListener("abort", () => {
        this.#openRequests--;
        reject(signal.reason);
      }, { once: true });
    });
  }

  #respond(response: FakeResponse, signal: AbortSignal | undefined): Response {
    const { status = 200, headers = EVENT_STREAM, ending = "close", ignoresAbort = false } = response;
    if (status === 204 || status === 304) return new Response(null, { status, headers });
    const pieces = toPieces(response);
    let open = true;
    const end = () => {
      if (open) this.#openBodies--;
      open = false;
    };
    this.#openBodies++;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        if (ignoresAbort) return;
        signal?.addEventListener("abort", () => {
          if (!open) return;
          end();
          controller.error(signal.reason);
        }, { once: true });
      },
      pull: async (controller) => {
        const piece = await pieces.next();
        if (!open) return;
        if (!piece.done) return controller.enqueue(piece.value);
        if (ending === "open") return this.#resolveStalled();
        end();
        if (ending === "reset") controller.error(new TypeError("terminated"));
        else controller.close();
      },
      cancel: () => end(),
    }, { highWaterMark: 0 });
    return new Response(body, { status, headers });
  }
}

const EVENT_STREAM = { "content-type": "text/event-stream" };

function toReply(replies: FakeReply | readonly FakeReply[], nth: number): FakeReply {
  return isList(replies) ? replies[Math.min(nth, replies.length - 1)] ?? {} : replies;
}

function isList(replies: FakeReply | readonly FakeReply[]): replies is readonly FakeReply[] {
  return Array.isArray(replies);
}

function toModelList(models: string | undefined): Response {
  const headers = { "content-type": "application/json" };
  return models === undefined ? new Response(null, { status: 404 }) : new Response(models, { headers });
}

async function* toPieces({ body = [], cuts = [] }: FakeResponse): AsyncGenerator<Uint8Array> {
  if (typeof body === "string") yield* cutAt(toBytes(body), cuts);
  else if (body instanceof Uint8Array) yield* cutAt(body, cuts);
  else yield* body;
}
