import { ApiError } from "../base/errors.ts";

// What Deno and Bun have of their own, as far as it is looked for here; elsewhere there are no such globals.
declare const Deno: unknown;
declare const Bun: unknown;

/**
 * Gives the runtime's way to upstreams, without the limits of time that it has of its own, which would cut answers that
 * are silent for five minutes: the gateway has its own limits.
 *
 * Web-standard `fetch` tells nothing of connecting; `connectTimeout`, in seconds, counts on Node alone.
 */
export function createFetch({ connectTimeout }: { connectTimeout: number }): typeof fetch {
  if (typeof Bun !== "undefined") return fetchOnBun;
  return isNode() ? fetchOnNode(connectTimeout) : (input, init) => fetch(input, init);
}

/** Bun counts the silence of a connection, unless it is told not to. Source: https://bun.sh/docs/api/fetch */
const fetchOnBun: typeof fetch = (input, init) => {
  const initWithoutTimeout: RequestInit & { timeout: false } = { ...init, timeout: false };
  return fetch(input, initWithoutTimeout);
};

/** Node's `fetch` has its limits from undici, and takes others only from an agent of that package. */
function fetchOnNode(connectTimeout: number): typeof fetch {
  const load = async () => {
    const { Agent } = await import("undici");
    return new Agent({ headersTimeout: 0, bodyTimeout: 0, connect: { timeout: connectTimeout * 1000 } });
  };
  let agent: ReturnType<typeof load> | undefined;
  return async (input, init) => {
    const initWithoutTimeout: RequestInit & { dispatcher: unknown } = {
      ...init,
      dispatcher: await (agent ??= load()),
    };
    return await fetch(input, initWithoutTimeout);
  };
}

/** Node itself, not a runtime that imitates it: Workers have a `process` too. */
function isNode(): boolean {
  const agent = globalThis.navigator?.userAgent ?? "Node.js/20"; // Node 20 has no navigator
  return typeof Deno === "undefined" && globalThis.process?.versions?.node !== undefined &&
    agent.startsWith("Node.js");
}

/**
 * Tells a failure of the network as an error, and whether there was a connection: then the upstream may have taken the
 * question up. Nothing is told of the owner's network but the runtime's code for the failure.
 */
export function toConnectError(failure: unknown, upstream: string): { error: ApiError; connected: boolean } {
  const { code, text } = readFailure(failure);
  const connected = !NOT_CONNECTED.has(code ?? "") && !text.includes("client error (Connect)");
  if (code === "UND_ERR_CONNECT_TIMEOUT") {
    const message = `Cannot connect to upstream "${upstream}": it takes too long`;
    return { error: new ApiError("timeout_error", message, { cause: failure }), connected };
  }
  const message = `Cannot reach upstream "${upstream}": ${code ?? "the connection failed"}`;
  return { error: new ApiError("api_error", message, { status: 502, cause: failure }), connected };
}

/** Codes of Node and Bun; Deno has none, but says it in words. */
const NOT_CONNECTED = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);

function readFailure(failure: unknown): { code: string | undefined; text: string } {
  let text = "";
  for (let at: unknown = failure; at instanceof Error; at = at.cause) {
    if ("code" in at && typeof at.code === "string") return { code: at.code, text };
    text += at.message;
  }
  return { code: undefined, text };
}
