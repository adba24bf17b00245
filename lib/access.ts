/** Who asks, as far as the headers say. */
export interface Caller {
  /** From `x-api-key`, or a Bearer token; the former counts where both are sent. */
  key?: string | undefined;
  /** Claude Code's session. */
  sessionId?: string | undefined;
  /** The `anthropic-version` and `anthropic-beta` headers, for upstreams that speak Anthropic's language. */
  version?: string | undefined;
  betas?: string | undefined;
}

/** Reads who asks. */
export function readCaller({ headers }: Request): Caller {
  const session = headers.get("x-claude-code-session-id");
  return {
    key: headers.get("x-api-key")?.trim() || readBearer(headers.get("authorization")),
    sessionId: session !== null && /^[\w.-]{1,128}$/.test(session) ? session : undefined,
    version: headers.get("anthropic-version") ?? undefined,
    betas: headers.get("anthropic-beta") ?? undefined,
  };
}

function readBearer(authorization: string | null): string | undefined {
  return /^Bearer\s+(\S+)\s*$/i.exec(authorization ?? "")?.[1];
}
