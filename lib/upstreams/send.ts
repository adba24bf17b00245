import { toUtf8 } from "./response/to_utf8.ts";
import type { Caller } from "../access/caller.ts";
import { readBytes, type ReadOptions, readText } from "./response/read_body.ts";
import type { Clock } from "../runtime/clock.ts";
import { keyHeader, UpstreamError } from "../dialects/mod.ts";
import { parseErrorText } from "../dialects/errors/error_shapes.ts";
import { toUpstreamError } from "../dialects/errors/upstream_error.ts";
import { ApiError } from "../base/errors.ts";
import { excessError } from "./response/excess_error.ts";
import { findExcess } from "../base/json_bounds.ts";
import { encodeJson } from "../base/encoding/encode_json.ts";
import { type JsonObject, tryJson } from "../base/json.ts";
import type { Upstream } from "./upstream.ts";
import { keyFor, redactKey } from "./redact_key.ts";
import { toConnectError } from "../runtime/http/fetch.ts";
import { transportOf, type UpstreamResponse } from "../runtime/http/transport.ts";
import { type RetryableFailure, retryDelay } from "./retry_delay.ts";
import { NAME, VERSION } from "../base/version.ts";

/** Network access to upstreams. */
export interface Network {
  fetch: typeof fetch;
  clock: Clock;
}

/** A request to an upstream; `waits` also measures the wait for the response. */
export interface UpstreamRequest extends ReadOptions {
  path: string;
  body?: JsonObject;
  caller: Caller;
  /** Maximum retries before an answer begins. 0 if tools have run for the message. */
  retries?: number;
  /** Fires when the client has left: nothing is retried then. Default: `signal`. */
  clientSignal?: AbortSignal;
  /** Called with the headers of each response. */
  onHeaders?: ((headers: Headers) => void) | undefined;
  /** Called before each retry. */
  onRetry?: ((retry: Retry) => void) | undefined;
}

/** Why a request is sent once more. */
export interface Retry {
  /** HTTP status of the failure; undefined if there was no response. */
  status: number | undefined;
  /** Time that was waited, in milliseconds. */
  waited: number;
}

/** Maximum size of a JSON answer. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

/**
 * Sends a request to an upstream, with retries, and returns a successful response.
 *
 * A redirect is an error: it would send the conversation to a host that the operator did not configure.
 *
 * @throws {ApiError} the upstream's error, in the format of Anthropic's API; the signal's reason, once it has fired.
 */
export async function send(
  network: Network,
  upstream: Upstream,
  request: UpstreamRequest,
): Promise<UpstreamResponse> {
  const { caller, signal, clientSignal = signal, retries = 0 } = request;
  for (let nth = 0;; nth++) {
    const answer = await sendOnce(network, upstream, request);
    if (!("error" in answer)) return answer;
    const delayMs = nth < retries ? retryDelay(answer, { nth, now: network.clock.now() }) : undefined;
    if (delayMs === undefined) throw redactKey(answer.error, upstream, caller);
    await wait(network.clock, delayMs, clientSignal);
    request.onRetry?.({ status: answer.status, waited: delayMs });
  }
}

/** Sends a request once. @throws an error after which the request must not be retried. */
async function sendOnce(
  { fetch: network, clock }: Network,
  upstream: Upstream,
  { path, body, caller, signal, waits, onHeaders }: UpstreamRequest,
): Promise<UpstreamResponse | RetryableFailure> {
  const headers = toHeaders(upstream, caller, body !== undefined);
  const init: RequestInit = body === undefined
    ? { headers, signal, redirect: "manual" }
    : { method: "POST", headers, body: encodeJson(body), signal, redirect: "manual" };
  const transport = transportOf(upstream.fetch ?? network);
  signal.throwIfAborted();
  let response: UpstreamResponse;
  waits?.begin();
  try {
    response = await transport(toUrl(upstream, path), init);
    waits?.end({ answered: true });
  } catch (cause) {
    waits?.end({ answered: false });
    if (signal.aborted) throw signal.reason;
    const { error, connected } = toConnectError(cause, upstream.name);
    if (connected) throw error;
    return { error };
  }
  onHeaders?.(response.headers);
  if (response.status >= 200 && response.status < 300) return response;
  return {
    error: await readError(response, { upstream, caller, signal, waits, now: clock.now() }),
    status: response.status,
  };
}

/** @throws the signal's reason, once it has fired. */
async function wait(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const cancel = clock.after(ms, end);
    signal.addEventListener("abort", end, { once: true });
    function end() {
      cancel();
      signal.removeEventListener("abort", end);
      resolve();
    }
  });
  signal.throwIfAborted();
}

/**
 * Reads a complete JSON answer.
 *
 * @throws {ApiError} `api_error` if it is larger than 32 MiB, exceeds the bounds of JSON, is incomplete or not JSON;
 * the signal's reason, once it has fired.
 */
export async function readJsonResponse(
  response: UpstreamResponse,
  upstream: Upstream,
  options: ReadOptions,
): Promise<unknown> {
  const text = await readAnswerText(readBytes(response.body, options), upstream, options.signal);
  const answer = tryJson(text);
  if (answer === undefined) throw unreadableResponse(upstream, "it is not JSON");
  return answer;
}

/**
 * Reads the text of a complete answer.
 *
 * @throws {ApiError} `api_error` if it is larger than 32 MiB, exceeds the bounds of JSON or is incomplete; the signal's
 * reason, once it has fired.
 */
export async function readAnswerText(
  chunks: AsyncIterable<Uint8Array>,
  upstream: Upstream,
  signal: AbortSignal,
): Promise<string> {
  const text = await readText(chunks, { limit: MAX_ANSWER_BYTES }).catch((cause) => {
    throw signal.aborted ? signal.reason : unreadableResponse(upstream, "it is incomplete", cause);
  });
  if (text === undefined) throw unreadableResponse(upstream, "it is larger than 32 MiB");
  const excess = findExcess(text);
  if (excess !== undefined) {
    throw excessError(`Cannot use the answer of upstream "${upstream.name}": it`, excess);
  }
  return text;
}

/** Returns the error for an answer that is in no known format. */
export function unreadableResponse({ name }: Upstream, why: string, cause?: unknown): ApiError {
  return new ApiError("api_error", `Cannot read the answer of upstream "${name}": ${why}`, {
    status: 502,
    cause,
  });
}

/** Returns the headers of a request by their names in lower case. Those of the settings override the others. */
function toHeaders(upstream: Upstream, caller: Caller, hasBody: boolean): Record<string, string> {
  const headers: Record<string, string> = {
    accept: hasBody ? "text/event-stream" : "application/json",
    "accept-encoding": "identity",
    "user-agent": USER_AGENT,
  };
  if (hasBody) headers["content-type"] = "application/json";
  if (caller.correlationId !== undefined) headers["x-correlation-id"] = caller.correlationId;
  if (caller.version !== undefined) headers["anthropic-version"] = caller.version;
  if (caller.betas !== undefined) headers["anthropic-beta"] = caller.betas;
  if (caller.userProfileId !== undefined) headers["anthropic-user-profile-id"] = caller.userProfileId;
  if (caller.workspaceId !== undefined) headers["anthropic-workspace-id"] = caller.workspaceId;
  const header = keyHeader(upstream.preset, upstream.dialectChoice);
  if (header === "x-api-key") headers["anthropic-version"] ??= "2023-06-01";
  const key = keyFor(upstream, caller);
  if (key !== undefined) headers[header] = header === "authorization" ? `Bearer ${key}` : key;
  for (const [name, value] of Object.entries(upstream.headers ?? {})) headers[name.toLowerCase()] = value;
  return headers;
}

const USER_AGENT = `${NAME}/${VERSION}`;

function toUrl({ baseUrl, apiVersion }: Upstream, path: string): string {
  return apiVersion === undefined ? `${baseUrl}${path}` : `${baseUrl}${path}?api-version=${apiVersion}`;
}

async function readError(
  response: UpstreamResponse,
  { upstream, caller, signal, waits, now }: ReadOptions & { upstream: Upstream; caller: Caller; now: number },
): Promise<ApiError> {
  const { status, headers } = response;
  if (status < 400) {
    await response.body?.cancel();
    return new ApiError("api_error", `Cannot use upstream "${upstream.name}": it redirects (${status})`, {
      status: 502,
    });
  }
  const chunks = toUtf8(readBytes(response.body, { signal, waits }), headers.get("content-type") ?? "");
  const text = await readText(chunks, { limit: MAX_ERROR_BYTES }).catch(() => undefined);
  if (signal.aborted) throw signal.reason;
  const body = text === undefined || findExcess(text) !== undefined ? undefined : parseErrorText(text);
  const error = toUpstreamError({ status, body, headers, now });
  // Hosts report a missing model by its name or as JSON. Other text comes from a server without the endpoint.
  if (status === 404 && text !== undefined && tryJson(text) === undefined && !/model/i.test(text)) {
    const why = `has no endpoint at its URL, which usually ends in /v1: ${error.message}`;
    return new ApiError(error.type, `Upstream "${upstream.name}" ${why}`, { status });
  }
  if (error.type !== "authentication_error") return error;
  const key = keyFor(upstream, caller);
  const keyOwner = key === undefined
    ? "no key"
    : upstream.key === undefined
    ? "the client's key"
    : "the gateway's key";
  const message = `Upstream "${upstream.name}" rejected ${keyOwner}: ${error.message}`;
  return new UpstreamError("authentication_error", message, {});
}

/** Maximum size of an error body. */
const MAX_ERROR_BYTES = 256 * 1024;
