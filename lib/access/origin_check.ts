import { ApiError } from "../base/errors.ts";
import { toHostName } from "../base/host_name.ts";
import { quote } from "../base/redact.ts";

/** Accepted hosts and origins. They are checked before the key. */
export interface OriginPolicy {
  /** Accepted host names; any if `undefined`. */
  hosts?: ReadonlySet<string> | undefined;
  /** Origins whose pages may send requests; `*` is any. Empty if CORS is off. */
  origins: ReadonlySet<string>;
}

/**
 * Rejects requests that a web page sends through a browser without permission.
 *
 * The host check stops DNS rebinding: an attacker's name that resolves to this machine. The origin check stops pages of
 * other origins. If any host is accepted and CORS is off, origins are not checked: browsers then withhold the response
 * from such pages.
 *
 * @throws {ApiError} `permission_error` if the host or origin is not accepted.
 */
export function checkHostAndOrigin(request: Request, { hosts, origins }: OriginPolicy): void {
  const { headers, url } = request;
  const host = headers.get("host") ?? new URL(url).host;
  if (hosts !== undefined) {
    const names = url.startsWith(`http://${host}/`) ? [host] : [host, new URL(url).host];
    const unknownHost = names.find((name) => !isKnownHost(name, hosts));
    if (unknownHost !== undefined) {
      throw new ApiError(
        "permission_error",
        `Cannot accept host ${quote(unknownHost)}: ALLOWED_HOSTS does not list it`,
      );
    }
  }
  const origin = headers.get("origin");
  if (origin === null || (hosts === undefined && origins.size === 0)) return;
  if (isAllowedOrigin(origin, origins) || hostAndPort(origin) === hostAndPort(`http://${host}`)) return;
  throw new ApiError(
    "permission_error",
    `Cannot accept origin ${quote(origin)}: CORS_ORIGINS does not list it`,
  );
}

/** A name in the form that {@linkcode toHostName} returns, and a port. */
const PLAIN_HOST = /^([a-z\d.-]+)(?::(?:[1-5]?\d{1,4}))?$/;

function isKnownHost(host: string, hosts: ReadonlySet<string>): boolean {
  const plain = PLAIN_HOST.exec(host)?.[1];
  return (plain !== undefined && hosts.has(plain)) || hosts.has(toHostName(host) ?? "");
}

/** Returns true if pages of the origin are allowed. */
export function isAllowedOrigin(origin: string, origins: ReadonlySet<string>): boolean {
  return origins.has("*") || origins.has(origin);
}

/** Returns host and port, without a default port. */
function hostAndPort(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).host || undefined : undefined;
}
