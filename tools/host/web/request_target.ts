import { raceAbort } from "../../abort.ts";
import { FetchError } from "../../errors.ts";
import { shortenUrl, type Target } from "../../policy/url.ts";
import type { Connect, PageRequest, PageResponse } from "./connect.ts";
import { type Resolve, resolveTarget } from "./resolve.ts";
import type { After } from "./time_limit.ts";

/** Network access of a request. */
export interface RequestOptions {
  readonly resolve: Resolve;
  readonly connect: Connect;
  readonly after: After;
  readonly signal: AbortSignal;
  /** Method, headers and body. By default a page is requested. */
  readonly request?: Pick<PageRequest, "method" | "headers" | "body"> | undefined;
}

/** A response, and the address that sent it. */
export interface TargetResponse {
  readonly response: PageResponse;
  readonly address: string;
}

/** Time to wait for a response from one address before the next one is tried. */
const ADDRESS_TIMEOUT_MS = 5_000;

/**
 * Sends a request to a target. Its addresses are resolved, checked, and tried in turn until one responds.
 *
 * @throws {FetchError} if an address may not be requested, or none responds.
 * @throws the reason of the signal, once it fires.
 */
export async function requestTarget(
  target: Target,
  { resolve, connect, after, signal, request }: RequestOptions,
): Promise<TargetResponse> {
  const { url } = target;
  const addresses = await raceAbort(resolveTarget(target, resolve), signal);
  let failure: unknown;
  for (const [at, address] of addresses.entries()) {
    const controller = new AbortController();
    const onTimeout = () =>
      controller.abort(new DOMException("The address did not respond in time", "TimeoutError"));
    const cancelTimer = at < addresses.length - 1 ? after(ADDRESS_TIMEOUT_MS, onTimeout) : undefined;
    try {
      const connectSignal = AbortSignal.any([signal, controller.signal]);
      const response = await raceAbort(connect({ ...request, url, address, signal: connectSignal }), signal);
      return { response, address };
    } catch (cause) {
      signal.throwIfAborted();
      failure = cause;
    } finally {
      cancelTimer?.();
    }
  }
  throw new FetchError(
    "url_not_accessible",
    `Cannot fetch "${shortenUrl(url.href)}": ${describeFailure(failure)}`,
    { cause: failure },
  );
}

/** Returns a fixed reason for a failed connection. The error's message is not used, because it contains addresses. */
export function describeFailure(failure: unknown): string {
  const code = failure instanceof Error && "code" in failure ? String(failure.code) : "";
  // Deno needs `--allow-net`.
  if (failure instanceof Error && failure.name === "NotCapable") {
    return "the gateway was started without the required permission";
  }
  if (code === "ECONNREFUSED") return "its host refused the connection";
  if (code === "HPE_HEADER_OVERFLOW") return "its host sent headers that are too large";
  if (code.startsWith("HPE_")) return "its host did not send a valid HTTP response";
  if (/CERT|TLS|SSL|ALTNAME|SELF_SIGNED/.test(code)) return "its host has no trusted certificate";
  return "its host did not respond";
}
