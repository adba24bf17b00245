/// <reference path="./undici_agent.d.ts" />
import type { Agent, Dispatcher } from "undici";
import { NameCache } from "../../base/name_cache.ts";
import { once } from "../../base/once.ts";
import { decodeResponse } from "./decode_body.ts";
import { PushedBytes } from "./pushed_bytes.ts";
import { NULL_BODY_STATUSES, toFetch, toReadStatus, type UpstreamResponse } from "./transport.ts";

type Controller = Dispatcher.DispatchController;

/**
 * Creates a `fetch` for Node.js on undici's dispatcher, which takes a third of the time of Node's own `fetch`.
 *
 * It supports what upstreams are called with: an absolute URL, a method, headers, a text as body, a signal. It follows
 * no redirects. It has no timeouts but that for the connection, in seconds.
 */
export function createNodeFetch({ connectTimeout }: { connectTimeout: number }): typeof fetch {
  let agent: Agent | undefined;
  const loadAgent = once(async (): Promise<Agent> => {
    // The whole package is five times as much code, of which the rest is not used.
    const { default: Agent } = await import("undici/lib/dispatcher/agent.js");
    return agent = new Agent({
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: { timeout: connectTimeout * 1000 },
    });
  });
  return toFetch((url, init) =>
    agent === undefined
      ? loadAgent().then((loaded) => dispatch(loaded, url, init))
      : dispatch(agent, url, init)
  );
}

function dispatch(
  agent: Agent,
  url: string,
  { method = "GET", headers, body, signal }: RequestInit,
): Promise<UpstreamResponse> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const exchange = new Exchange({ resolve, reject, signal });
    agent.dispatch({
      ...targets.get(url, toTarget),
      // undici sends any method; its type is a list of the usual ones.
      method: method as Dispatcher.HttpMethod,
      headers: toSentHeaders(headers),
      body: typeof body === "string" ? body : null,
    }, exchange);
  });
}

/** Requests go to the same few URLs. */
const targets = new NameCache<{ origin: string; path: string }>(500);

function toTarget(url: string): { origin: string; path: string } {
  const { origin, pathname, search } = new URL(url);
  return { origin, path: pathname + search };
}

/** Returns headers as undici takes them. It checks the names and values of an object itself. */
function toSentHeaders(headers: HeadersInit | undefined): Record<string, string> | string[] {
  const isPlain = headers !== undefined && !(headers instanceof Headers) && !Array.isArray(headers);
  return isPlain ? headers : [...new Headers(headers)].flat();
}

interface ExchangeOptions {
  resolve(response: UpstreamResponse): void;
  reject(error: unknown): void;
  signal: AbortSignal | null | undefined;
}

/** One request and its response. */
class Exchange extends PushedBytes implements Dispatcher.DispatchHandler {
  readonly #signal: AbortSignal | null | undefined;
  /** Ends the wait for the response. Undefined once it has begun, so that the response is not kept. */
  #settle: Omit<ExchangeOptions, "signal"> | undefined;
  #controller: Controller | undefined;
  readonly #abort = (): void => this.#controller?.abort(toError(this.#signal?.reason));

  constructor({ signal, ...settle }: ExchangeOptions) {
    super();
    this.#signal = signal;
    this.#settle = settle;
    signal?.addEventListener("abort", this.#abort, { once: true });
  }

  onRequestStart(controller: Controller): void {
    this.#controller = controller;
    if (this.#signal?.aborted) this.#abort();
  }

  onResponseStart(_controller: Controller, status: number, headers: Record<string, unknown>): void {
    if (status < 200) return; // informational: the response follows
    this.#settle?.resolve(decodeResponse({
      status: toReadStatus(status),
      headers: toHeaders(headers),
      body: NULL_BODY_STATUSES.has(status) ? undefined : this,
    }));
    this.#settle = undefined;
  }

  onResponseData(_controller: Controller, piece: Uint8Array): void {
    this.add(piece);
  }

  onResponseEnd(): void {
    this.end();
  }

  onResponseError(_controller: Controller, error: Error): void {
    this.end(error);
    this.#settle?.reject(error);
    this.#settle = undefined;
  }

  protected override end(failure?: Error): void {
    this.#signal?.removeEventListener("abort", this.#abort);
    super.end(failure);
  }

  protected pause(): void {
    this.#controller?.pause();
  }

  protected resume(): void {
    this.#controller?.resume();
  }

  protected close(reason: unknown): void {
    this.#controller?.abort(toError(reason));
  }
}

/** Headers of a response. Those that the standard does not allow are left out. */
function toHeaders(values: Record<string, unknown>): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(values)) {
    for (const one of [value].flat()) {
      try {
        headers.append(name, String(one));
      } catch {
        // Some servers send control characters. No such header has a meaning for the gateway.
      }
    }
  }
  return headers;
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new DOMException("The request was aborted", "AbortError");
}
