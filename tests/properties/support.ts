import type { Clock } from "../../lib/runtime/clock.ts";
import { createGateway } from "../../lib/gateway.ts";
import type { Settings } from "../../lib/config/settings.ts";
import type { JsonObject } from "../../lib/base/json.ts";

/** One seed for every law, so that a run says the same thing everywhere; another one looks elsewhere. */
export const SEED = 20261123;

/** Time that passes only when a test says so. */
export class TestClock implements Clock {
  #now = 0;
  readonly #timers = new Set<{ due: number; again: number | undefined; run: () => void }>();

  /** How many timers are set. */
  get waiting(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): () => void {
    return this.#set(ms, undefined, run);
  }

  every(ms: number, run: () => void): () => void {
    return this.#set(ms, ms, run);
  }

  /** Lets time pass, timer by timer. */
  pass(ms: number): void {
    const until = this.#now + ms;
    while (true) {
      const next = [...this.#timers].filter(({ due }) => due <= until).sort((a, b) => a.due - b.due)[0];
      if (next === undefined) break;
      this.#now = next.due;
      if (next.again === undefined) this.#timers.delete(next);
      else next.due += next.again;
      next.run();
    }
    this.#now = until;
  }

  #set(ms: number, again: number | undefined, run: () => void): () => void {
    const timer = { due: this.#now + ms, again, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }
}

/** How an upstream's body ends: as it should, by a broken connection, or not at all. */
export type Ending = "close" | "reset" | "silence";

/** What an upstream answers. */
export interface Answer {
  status?: number;
  headers?: Record<string, string>;
  /** The body, piece by piece: each is what one read brings. */
  pieces?: readonly Uint8Array[];
  ending?: Ending;
  /** Whether the body hears of an aborted request by itself, as that of a real `fetch` does. */
  deaf?: boolean;
}

/** An upstream inside the test: it answers by a script and remembers what was done to it. */
export class TestUpstream {
  readonly requests: { url: string; init: RequestInit; body: JsonObject }[] = [];
  /** Settles when the gateway waits for bytes, or for headers, that do not come. */
  silent: Promise<void> = Promise.resolve();
  /** Bodies that were given out and neither ended nor were cancelled. */
  open = 0;
  readonly #answer: (nth: number) => Answer | "no headers" | Error;
  #tellSilent = () => {};

  constructor(answer: Answer | "no headers" | Error | ((nth: number) => Answer | "no headers" | Error)) {
    this.#answer = typeof answer === "function" ? answer : () => answer;
    this.quiet();
  }

  /** Waits for silence anew. */
  quiet(): void {
    this.silent = new Promise((resolve) => this.#tellSilent = resolve);
  }

  /** Whether the gateway has let go of whatever it asked for. */
  get idle(): boolean {
    return this.open === 0 && this.#headersAwaited === 0;
  }
  #headersAwaited = 0;

  fetch: typeof fetch = (input, init = {}) => {
    const { signal, body, method } = init;
    if (method !== "POST") return Promise.resolve(new Response(null, { status: 404 })); // it lists no models
    this.requests.push({
      url: String(input),
      init,
      body: typeof body === "string" ? JSON.parse(body) : {},
    });
    if (signal?.aborted) return Promise.reject(signal.reason);
    const answer = this.#answer(this.requests.length - 1);
    if (answer instanceof Error) return Promise.reject(answer);
    if (answer === "no headers") {
      this.#headersAwaited++;
      this.#tellSilent();
      return new Promise((_resolve, reject) => {
        signal?.addEventListener("abort", () => {
          this.#headersAwaited--;
          reject(signal.reason);
        }, { once: true });
      });
    }
    return Promise.resolve(this.#respond(answer, signal ?? undefined));
  };

  #respond(answer: Answer, signal: AbortSignal | undefined): Response {
    const { status = 200, headers = SSE, pieces = [], ending = "close", deaf = false } = answer;
    const left = [...pieces];
    let open = true;
    const end = () => {
      if (open) this.open--;
      open = false;
    };
    this.open++;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        if (deaf) return;
        signal?.addEventListener("abort", () => {
          if (!open) return;
          end();
          controller.error(signal.reason);
        }, { once: true });
      },
      pull: (controller) => {
        const piece = left.shift();
        if (piece !== undefined) return controller.enqueue(piece);
        if (ending === "silence") return this.#tellSilent();
        end();
        if (ending === "reset") controller.error(new TypeError("terminated"));
        else controller.close();
      },
      cancel: () => end(),
    }, { highWaterMark: 0 });
    const bodiless = status === 204 || status === 304;
    if (bodiless) end();
    return new Response(bodiless ? null : body, { status, headers });
  }
}

const SSE = { "content-type": "text/event-stream" };

/** Creates a gateway in front of a test's upstream, with a clock of its own. */
export function createTestGateway(upstream: TestUpstream, settings: Settings = {}): {
  handler: (request: Request) => Promise<Response>;
  clock: TestClock;
} {
  const clock = new TestClock();
  const handler = createGateway({
    settings: { OPENROUTER_API_KEY: "test-key-of-the-gateway", ...settings },
    fetch: upstream.fetch,
    clock,
  });
  return { handler: (request) => handler.fetch(request), clock };
}

/** A model of each road. */
export const ROADS = { chat: "vendor/model", native: "anthropic/claude-opus-5.5" } as const;
/** How a request travels: translated to chat completions, or in Anthropic's own language. */
export type Road = keyof typeof ROADS;

/** Writes a request of `POST /v1/messages`. */
export function post(body: unknown, init: RequestInit = {}, path = "/v1/messages"): Request {
  return new Request(`http://localhost${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-api-key": "test-key-of-the-client" },
    body: typeof body === "string" || body instanceof Uint8Array ? body as BodyInit : JSON.stringify(body),
    ...init,
  });
}

/** The smallest request. */
export function hello(road: Road, fields: JsonObject = {}): JsonObject {
  return { model: ROADS[road], max_tokens: 64, messages: [{ role: "user", content: "Hi" }], ...fields };
}

/** Writes text as bytes. */
export function toBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Cuts bytes into pieces of the given sizes, over and over; no sizes leave them whole. */
export function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0, nth = 0; at < bytes.length; nth++) {
    const size = sizes[nth % sizes.length] ?? bytes.length;
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

/** Waits until whatever is settled has been heard of by all who wait for it. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
