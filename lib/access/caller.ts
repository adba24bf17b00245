import { ApiError } from "../base/errors.ts";
import { LOCAL, UNAUTHENTICATED } from "../config/gateway_keys.ts";
import type { ApiKeys } from "./api_keys.ts";

/** Who asks. */
export interface Caller {
  /**
   * The name of the key that was shown: `admin` for the admin's, `local` where none is demanded, `nobody` where none is
   * needed.
   */
  client: string;
  /** A key for the upstream, from `x-api-key` or a Bearer token: never one of the gateway's own. */
  key?: string | undefined;
  /** Claude Code's session. */
  sessionId?: string | undefined;
  /** The `anthropic-version` and `anthropic-beta` headers, for upstreams that speak Anthropic's language. */
  version?: string | undefined;
  betas?: string | undefined;
}

/** Whoever has not been let in. */
export const ANONYMOUS: Caller = { client: UNAUTHENTICATED };

/**
 * Finds out who asks, by `x-api-key` or a Bearer token; where both are sent, either will do.
 *
 * @throws {ApiError} `authentication_error` if a key is demanded, and none of those sent is known.
 */
export async function authenticate(request: Request, apiKeys: ApiKeys): Promise<Caller> {
  const keys = readApiKeys(request.headers);
  for (const key of keys) {
    const client = await apiKeys.match(key);
    if (client !== undefined) return { client, ...readClientHeaders(request.headers) };
  }
  if (!apiKeys.required) return { client: LOCAL, key: keys[0], ...readClientHeaders(request.headers) };
  if (isPublicRoute(request)) return ANONYMOUS;
  // Anthropic's own words, by which clients know what to ask of their user.
  throw new ApiError(
    "authentication_error",
    keys.length === 0 ? "x-api-key header is required" : "invalid x-api-key",
  );
}

/** What tells only that somebody answers: the health check, and how Claude Code looks whether its base URL is right. */
function isPublicRoute({ method, url }: Request): boolean {
  const { pathname } = new URL(url);
  if (method === "HEAD") return ["/", "/health", "/api/hello"].includes(pathname);
  return method === "GET" && pathname === "/health";
}

function readApiKeys(headers: Headers): string[] {
  const bearer = /^Bearer\s+(\S+)\s*$/i.exec(headers.get("authorization") ?? "")?.[1];
  return [headers.get("x-api-key")?.trim() ?? "", bearer ?? ""].filter((key) => key !== "");
}

function readClientHeaders(headers: Headers): Omit<Caller, "client" | "key"> {
  const session = headers.get("x-claude-code-session-id");
  return {
    sessionId: session !== null && /^[\w.-]{1,128}$/.test(session) ? session : undefined,
    version: headers.get("anthropic-version") ?? undefined,
    betas: headers.get("anthropic-beta") ?? undefined,
  };
}
