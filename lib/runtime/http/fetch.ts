import { ApiError } from "../../base/errors.ts";
import { createBunFetch } from "./bun_fetch.ts";
import { createDenoFetch } from "./deno_fetch.ts";
import { createNodeFetch } from "./node_fetch.ts";

// Globals of Deno and Bun, undefined on other runtimes.
declare const Deno: unknown;
declare const Bun: unknown;

/**
 * Creates the `fetch` that upstreams are called with, without the runtime's built-in timeouts. Those would cut answers
 * that are silent for five minutes; the gateway has its own timeouts. Compressed bodies are decoded on every runtime.
 *
 * `connectTimeout`, in seconds, applies on Node only: web-standard `fetch` has no connect timeout.
 */
export function createFetch({ connectTimeout }: { connectTimeout: number }): typeof fetch {
  if (typeof Bun !== "undefined") return createBunFetch();
  if (typeof Deno !== "undefined") return createDenoFetch();
  return isNode() ? createNodeFetch({ connectTimeout }) : (input, init) => fetch(input, init);
}

/** True on Node itself, false on runtimes that imitate it: Workers have a `process` too. */
function isNode(): boolean {
  const agent = globalThis.navigator?.userAgent ?? "Node.js/20"; // Node 20 has no navigator
  return typeof Deno === "undefined" && globalThis.process?.versions?.node !== undefined &&
    agent.startsWith("Node.js");
}

/**
 * Converts a failure of `fetch` to an `ApiError`. The message holds only the runtime's error code, never an address.
 *
 * `connected` is false only if no connection was made. Otherwise the upstream may have started to process the request.
 */
export function toConnectError(failure: unknown, upstream: string): { error: ApiError; connected: boolean } {
  const { code, text } = readFailure(failure);
  const connected = !NOT_CONNECTED.has(code ?? "") && !text.includes(DENO_CONNECT);
  if (code === "UND_ERR_CONNECT_TIMEOUT") {
    const message = `Cannot connect to upstream "${upstream}": the connection timed out`;
    return { error: new ApiError("timeout_error", message, { cause: failure }), connected };
  }
  const message = `Cannot reach upstream "${upstream}": ${code ?? "the connection failed"}`;
  return { error: new ApiError("api_error", message, { status: 502, cause: failure }), connected };
}

/** Codes for a failure to connect. */
const NOT_CONNECTED = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/** Part of the message of Deno's `fetch` for any failure to connect. */
const DENO_CONNECT = "client error (Connect)";

/** Codes by a part of the message of Deno's `fetch`, whose errors have none. */
const DENO_CODES: readonly (readonly [text: string, code: string])[] = [
  ["Connection refused", "ECONNREFUSED"],
  ["dns error", "ENOTFOUND"],
  ["No route to host", "EHOSTUNREACH"],
  ["Network is unreachable", "ENETUNREACH"],
];

/** Returns the code of a failure to connect, such as `ECONNREFUSED`; undefined if the runtime gives no reason. */
export function readFailureCode(failure: unknown): string | undefined {
  return readFailure(failure).code;
}

function readFailure(failure: unknown): { code: string | undefined; text: string } {
  let text = "";
  for (let at: unknown = failure; at instanceof Error; at = at.cause) {
    if ("code" in at && typeof at.code === "string") return { code: at.code, text };
    text += at.message;
  }
  const known = text.includes(DENO_CONNECT) ? DENO_CODES.find(([part]) => text.includes(part)) : undefined;
  return { code: known?.[1], text };
}
