import { ApiError } from "../base/errors.ts";
import { ADMIN, LOCAL, UNAUTHENTICATED } from "../config/gateway_keys.ts";
import type { ApiKeys } from "./api_keys.ts";

/** The client of a request, as its headers identify it. */
export interface Caller {
  /**
   * Name of the client's key: `admin` for the admin key, `local` if the gateway requires no key, `UNAUTHENTICATED` on a
   * public route without a key.
   */
  client: string;
  /** Key for the upstream, from `x-api-key` or a Bearer token. Never a key of the gateway. */
  key?: string | undefined;
  /** Id of the request for logs, `x-correlation-id`, sent to upstreams too. */
  correlationId?: string | undefined;
  /** Owner of what is kept for the caller, if it is known without the key: see `ownerOf()`. */
  owner?: string | undefined;
  /** Session id of Claude Code or opencode. */
  sessionId?: string | undefined;
  /** The `anthropic-version` and `anthropic-beta` headers, for upstreams with Anthropic's API. */
  version?: string | undefined;
  betas?: string | undefined;
  /** The headers of these names of Anthropic's API, for the same upstreams. */
  userProfileId?: string | undefined;
  workspaceId?: string | undefined;
}

/** A caller that is not authenticated. */
export const ANONYMOUS: Caller = { client: UNAUTHENTICATED };

/**
 * Authenticates a request by `x-api-key` or a Bearer token. If both are sent, one valid key is enough.
 *
 * On an open route, a caller without a known key is {@linkcode ANONYMOUS}. With `stale`, keys that are not in the
 * settings are those known last if their store cannot be reached.
 *
 * @throws {ApiError} `authentication_error` if a key is required and none of those sent is known; `overloaded_error` if
 * the store of keys cannot be reached.
 */
export async function authenticate(
  request: Request,
  apiKeys: ApiKeys,
  { open, stale = false }: { open: boolean; stale?: boolean | undefined },
): Promise<Caller> {
  const keys = readApiKeys(request.headers);
  for (const key of keys) {
    const client = await apiKeys.match(key, { stale });
    if (client !== undefined) return { client, ...readClientHeaders(request.headers) };
  }
  if (!apiKeys.required) return { client: LOCAL, key: keys[0], ...readClientHeaders(request.headers) };
  if (open) return ANONYMOUS;
  // Without the name of the header: at a message that holds it, Claude Code tells its user to run /login.
  throw new ApiError(
    "authentication_error",
    keys.length === 0
      ? "Cannot authenticate: the request has no key of the gateway"
      : "Cannot authenticate: the key is not one of the gateway's keys",
  );
}

/**
 * Authenticates the operator by the admin key, in `x-api-key` or as a Bearer token.
 *
 * @throws {ApiError} `authentication_error` without a known key; `permission_error` with a client's key, or if no key
 * is configured.
 */
export async function authenticateAdmin(request: Request, apiKeys: ApiKeys): Promise<Caller> {
  const names = await Promise.all(readApiKeys(request.headers).map((key) => apiKeys.match(key)));
  if (names.includes(ADMIN)) return { client: ADMIN, ...readClientHeaders(request.headers) };
  if (names.some((name) => name !== undefined)) {
    throw new ApiError("permission_error", "Cannot use this endpoint: it needs GATEWAY_ADMIN_KEY");
  }
  if (!apiKeys.hasAdmin && !apiKeys.required) {
    throw new ApiError("permission_error", "Cannot use this endpoint: GATEWAY_ADMIN_KEY is not set");
  }
  throw new ApiError(
    "authentication_error",
    names.length === 0
      ? "Cannot authenticate: the request has no key of the gateway"
      : "Cannot authenticate: the key is not one of the gateway's keys",
  );
}

function readApiKeys(headers: Headers): string[] {
  const keys: string[] = [];
  const key = headers.get("x-api-key")?.trim() ?? "";
  if (key !== "") keys.push(key);
  const authorization = headers.get("authorization");
  const bearer = authorization === null ? undefined : /^Bearer\s+(\S+)\s*$/i.exec(authorization)?.[1];
  if (bearer !== undefined) keys.push(bearer);
  return keys;
}

/** Returns the session of Claude Code or of opencode. */
function readSessionId(headers: Headers): string | undefined {
  for (const name of SESSION_HEADERS) {
    const session = headers.get(name);
    if (session !== null && /^[\w.-]{1,128}$/.test(session)) return session;
  }
  return undefined;
}

const SESSION_HEADERS = ["x-claude-code-session-id", "x-session-id"];

function readClientHeaders(headers: Headers): Omit<Caller, "client" | "key"> {
  return {
    sessionId: readSessionId(headers),
    version: headers.get("anthropic-version") ?? undefined,
    betas: headers.get("anthropic-beta") ?? undefined,
    userProfileId: headers.get("anthropic-user-profile-id") ?? undefined,
    workspaceId: headers.get("anthropic-workspace-id") ?? undefined,
  };
}
