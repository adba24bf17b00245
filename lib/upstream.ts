import type { Caller } from "./access/caller.ts";
import { readText } from "./bytes.ts";
import { toKeyHeader } from "./dialects/mod.ts";
import { toUpstreamError } from "./dialects/upstream_error.ts";
import { ApiError } from "./errors.ts";
import { isObject, type JsonObject, tryJson } from "./json.ts";
import type { Route, Upstream } from "./models.ts";
import { NAME, VERSION } from "./version.ts";

/** How upstreams are reached. */
export interface Network {
  fetch: typeof fetch;
}

/** The largest answer that is read whole, in bytes. */
const MAX_ANSWER = 32 * 1024 * 1024;

/**
 * Asks an upstream: the one request that leaves the gateway.
 *
 * What comes back is a success with a body. A failure of any kind is thrown, redirects among them: they would carry
 * the conversation to somebody whom the owner did not name.
 *
 * @throws {ApiError} what the upstream answered, as Anthropic's API would say it.
 */
export async function send(
  { fetch: network }: Network,
  upstream: Upstream,
  { path, body, caller, signal }: { path: string; body?: JsonObject; caller: Caller; signal: AbortSignal },
): Promise<Response> {
  const headers = toHeaders(upstream, caller, body !== undefined);
  const init: RequestInit = { headers, signal, redirect: "manual" };
  if (body !== undefined) Object.assign(init, { method: "POST", body: JSON.stringify(body) });
  const transport = upstream.fetch ?? network;
  signal.throwIfAborted();
  let response: Response;
  try {
    response = await transport(toUrl(upstream, path), init);
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    throw new ApiError("api_error", `Cannot reach upstream "${upstream.name}": ${toReason(cause)}`, {
      status: 502,
      cause,
    });
  }
  if (response.ok) return response;
  throw withoutKey(await toError(response, { upstream, caller, signal }), upstream, caller);
}

/** Asks an upstream for a turn of a conversation. */
export function sendTurn(
  network: Network,
  route: Route,
  { body, caller, signal }: { body: JsonObject; caller: Caller; signal: AbortSignal },
): Promise<Response> {
  const { upstream, dialect } = route;
  // What a version or a beta of Anthropic's API means is known only to those who speak it.
  const asker = dialect.name === "anthropic" ? caller : { client: caller.client, key: caller.key };
  return send(network, upstream, {
    path: dialect.path,
    body: toWholeBody(body, route),
    caller: asker,
    signal,
  });
}

/** The body with what the settings say of the model, and without the provider that is to be avoided. */
function toWholeBody(body: JsonObject, { options, avoid }: Route): JsonObject {
  const whole = { ...body, ...options };
  if (avoid === undefined) return whole;
  const provider = isObject(whole.provider) ? whole.provider : {};
  const ignore = Array.isArray(provider.ignore) ? provider.ignore : [];
  return { ...whole, provider: { ...provider, ignore: [...ignore, avoid] } };
}

/**
 * Reads an answer whole.
 *
 * @throws {ApiError} `api_error` if it is larger than 32 MiB, breaks off or is no JSON; the signal's reason, once it
 * has fired.
 */
export async function readWhole(
  response: Response,
  upstream: Upstream,
  signal: AbortSignal,
): Promise<unknown> {
  const unreadable = (why: string, cause?: unknown) =>
    new ApiError("api_error", `Cannot read the answer of upstream "${upstream.name}": ${why}`, {
      status: 502,
      cause,
    });
  const text = await readText(response.body, { limit: MAX_ANSWER, signal }).catch((cause) => {
    throw signal.aborted ? signal.reason : unreadable("it breaks off", cause);
  });
  if (text === undefined) throw unreadable("it is larger than 32 MiB");
  const answer = tryJson(text);
  if (answer === undefined) throw unreadable("it is not JSON");
  return answer;
}

/** Takes the very key that was used out of an error's message: an upstream may quote it, and its form is not known. */
export function withoutKey(error: unknown, upstream: Upstream, caller: Caller): unknown {
  if (!(error instanceof ApiError)) return error;
  for (const secret of [toKey(upstream, caller), ...Object.values(upstream.headers ?? {})]) {
    if (secret === undefined || secret.length < SHORTEST_KEY) continue;
    error.message = error.message.replaceAll(secret, "[redacted]");
  }
  return error;
}

function toHeaders(upstream: Upstream, caller: Caller, hasBody: boolean): Headers {
  const headers = new Headers({
    accept: hasBody ? "text/event-stream" : "application/json",
    "accept-encoding": "identity",
    "user-agent": `${NAME}/${VERSION}`,
  });
  if (hasBody) headers.set("content-type", "application/json");
  if (caller.version !== undefined) headers.set("anthropic-version", caller.version);
  if (caller.betas !== undefined) headers.set("anthropic-beta", caller.betas);
  const keyHeader = toKeyHeader(upstream.preset, upstream.language);
  if (keyHeader === "x-api-key" && !headers.has("anthropic-version")) {
    headers.set("anthropic-version", "2023-06-01");
  }
  const key = toKey(upstream, caller);
  if (key !== undefined) headers.set(keyHeader, keyHeader === "authorization" ? `Bearer ${key}` : key);
  for (const [name, value] of Object.entries(upstream.headers ?? {})) headers.set(name, value);
  return headers;
}

function toKey({ key, clientKey }: Upstream, caller: Caller): string | undefined {
  return key ?? (clientKey ? caller.key : undefined);
}

function toUrl({ baseUrl, apiVersion }: Upstream, path: string): string {
  return apiVersion === undefined ? `${baseUrl}${path}` : `${baseUrl}${path}?api-version=${apiVersion}`;
}

async function toError(
  response: Response,
  { upstream, caller, signal }: { upstream: Upstream; caller: Caller; signal: AbortSignal },
): Promise<ApiError> {
  const { status } = response;
  if (status < 400) {
    await response.body?.cancel();
    return new ApiError("api_error", `Cannot follow upstream "${upstream.name}": it redirects (${status})`, {
      status: 502,
    });
  }
  const text = await readText(response.body, { limit: MAX_ERROR, signal }).catch(() => undefined);
  if (signal.aborted) throw signal.reason;
  const retryAfter = response.headers.get("retry-after") ?? undefined;
  const error = toUpstreamError({ status, body: text === undefined ? undefined : tryJson(text), retryAfter });
  if (error.type !== "authentication_error") return error;
  const key = toKey(upstream, caller);
  const whose = key === undefined
    ? "no key"
    : upstream.key === undefined
    ? "the client's key"
    : "the gateway's own key";
  const said = `Upstream "${upstream.name}" refused ${whose}: ${error.message}`;
  return new ApiError("authentication_error", said);
}

/** The reason of a failed connection, as far as it tells nothing of the owner's network. */
function toReason(error: unknown): string {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if ("code" in at && typeof at.code === "string") return at.code;
  }
  return "the connection failed";
}

/** The largest error body that is read, in bytes. */
const MAX_ERROR = 256 * 1024;

/** The shortest key that is looked for in messages, in characters: what is shorter may be any word. */
const SHORTEST_KEY = 6;
