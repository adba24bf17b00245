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
 * quote them: as they are, percent-encoded or escaped as in JSON, in any case of letters, also if the
 * text was cut within one of them.
 */
export function redactKey(error: unknown, upstream: Upstream, caller: Caller): unknown {
  if (!(error instanceof ApiError)) return error;
  error.replaceTexts(createRedactor(secretsOf(upstream, caller)));
  return error;
}

/** True if a text has the upstream's key or a header value, or the start of one. */
export function holdsKey(text: string, upstream: Upstream, caller: Caller): boolean {
  return createRedactor(secretsOf(upstream, caller))(text) !== text;
}

/** Returns the secrets that an upstream receives with each request. */
function secretsOf(upstream: Upstream, caller: Caller): string[] {
  const headers = Object.values(upstream.headers ?? {});
  return [keyFor(upstream, caller), ...headers, ...headers.map(credentialsOf)]
    .filter((secret) => secret !== undefined);
}
