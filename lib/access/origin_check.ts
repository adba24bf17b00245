import { ApiError } from "../base/errors.ts";
import { toHostName } from "../base/host_name.ts";
import { quote } from "../base/redact.ts";

/** Whose requests are answered at all, whatever key they show. */
export interface OriginPolicy {
  /** The hosts that the gateway may be called by; any where nothing is said. */
  hosts?: ReadonlySet<string> | undefined;
  /** The origins whose pages may ask; `*` is every one, none at all is CORS switched off. */
  origins: ReadonlySet<string>;
}

/**
 * Refuses what a web page makes a browser send to a gateway that is none of its business: requests for a name that an
 * attacker has pointed at this machine, and requests of foreign pages.
 *
 * Where any host will do and CORS is off, origins are not looked at: browsers keep such answers from foreign pages.
 *
 * @throws {ApiError} `permission_error`; `invalid_request_error` where the request calls the gateway by no name at all.
 */
export function checkHostAndOrigin(request: Request, { hosts, origins }: OriginPolicy): void {
  const { headers, url } = request;
  if (!URL.canParse(url)) {
    throw new ApiError("invalid_request_error", "Cannot answer the request: it names no valid host");
  }
  const host = headers.get("host") ?? new URL(url).host;
  if (hosts !== undefined) {
    const unknownHost = [host, new URL(url).host].find((name) => !hosts.has(toHostName(name) ?? ""));
    if (unknownHost !== undefined) {
      throw new ApiError(
        "permission_error",
        `Cannot answer for host ${quote(unknownHost)}: ALLOWED_HOSTS does not name it`,
      );
    }
  }
  const origin = headers.get("origin");
  if (origin === null || (hosts === undefined && origins.size === 0)) return;
  if (isAllowedOrigin(origin, origins) || hostAndPort(origin) === hostAndPort(`http://${host}`)) return;
  throw new ApiError(
    "permission_error",
    `Cannot answer a page of ${quote(origin)}: CORS_ORIGINS does not name it`,
  );
}

/** Tells whether the settings let pages of an origin in. */
export function isAllowedOrigin(origin: string, origins: ReadonlySet<string>): boolean {
  return origins.has("*") || origins.has(origin);
}

/** Host and port, the usual port left out. */
function hostAndPort(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).host || undefined : undefined;
}
