import type { Caller } from "../access/caller.ts";
import { ApiError } from "../base/errors.ts";
import { createRedactor, credentialsOf } from "../base/redact_secrets.ts";
import type { Upstream } from "./upstream.ts";

/** Returns the key that a request to an upstream is sent with. */
export function keyFor({ key, acceptsClientKey }: Upstream, caller: Caller): string | undefined {
  return key ?? (acceptsClientKey ? caller.key : undefined);
}

/**
 * Removes the upstream's key and header values from all texts of an error that clients receive, because an upstream may
 * quote them in any of the forms of {@linkcode createRedactor}.
 */
export function redactKey(error: unknown, upstream: Upstream, caller: Caller): unknown {
  if (!(error instanceof ApiError)) return error;
  error.replaceTexts(redactorOf(upstream, caller));
  return error;
}

/** True if a text has the upstream's key or a header value, or the start of one. */
export function holdsKey(text: string, upstream: Upstream, caller: Caller): boolean {
  return redactorOf(upstream, caller)(text) !== text;
}

/** Returns what removes an upstream's secrets. Only that of a client's own key is made anew: it is not kept. */
function redactorOf(upstream: Upstream, caller: Caller): (text: string) => string {
  if (upstream.key === undefined && upstream.acceptsClientKey === true) {
    return createRedactor(secretsOf(upstream, caller));
  }
  const redactor = redactors.get(upstream) ?? createRedactor(secretsOf(upstream, caller));
  redactors.set(upstream, redactor);
  return redactor;
}

/** An upstream and its key do not change: new settings make new ones. */
const redactors = new WeakMap<Upstream, (text: string) => string>();

/** Returns the secrets that an upstream receives with each request. */
function secretsOf(upstream: Upstream, caller: Caller): string[] {
  const headers = Object.values(upstream.headers ?? {});
  // A key that is the upstream's name is no secret: for servers without keys, such as Ollama, any text is used as one.
  const key = upstream.key === upstream.name ? undefined : keyFor(upstream, caller);
  return [key, ...headers, ...headers.map(credentialsOf), ...headers.flatMap(fromBasic)]
    .filter((secret) => secret !== undefined);
}

/** Returns the credentials of HTTP Basic authentication, and the password, which an upstream may have decoded. */
function fromBasic(header: string): string[] {
  const [, encoded] = /^basic\s+([\w+/]+=*)\s*$/i.exec(header) ?? [];
  if (encoded === undefined || encoded.replace(/=+$/, "").length % 4 === 1) return [];
  const credentials = atob(encoded.replace(/=+$/, ""));
  return [credentials, credentials.slice(credentials.indexOf(":") + 1)];
}
