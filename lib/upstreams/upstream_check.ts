import { ApiError } from "../base/errors.ts";
import { hostFacts } from "../dialects/mod.ts";
import type { Clock } from "../runtime/clock.ts";
import { readFailureCode } from "../runtime/http/fetch.ts";
import { send } from "./send.ts";
import type { Upstream } from "./upstream.ts";

/** Result of a check of an upstream. */
export interface UpstreamCheck {
  /** `unchecked` if it is not in the network, or not one of the first {@linkcode MAX_CHECKED}. */
  status: "healthy" | "unreachable" | "key_rejected" | "unchecked";
  /** Whether the upstream accepts the gateway's key: `not_set` if the gateway has none for it. */
  key: "valid" | "rejected" | "not_set" | "unknown";
  latency_ms?: number;
  /** Time of the check in ISO 8601. */
  checked_at?: string;
  /** Anthropic's type of the failure. The upstream's own words are in the log only. */
  error?: string;
  /** The runtime's code of a connection that failed, such as `ECONNREFUSED`. */
  code?: string;
}

/** Checks upstreams, and remembers the results for a while. */
export interface UpstreamChecks {
  /** Returns the results by the upstreams' names. Concurrent calls share one check. */
  run(): Promise<ReadonlyMap<string, UpstreamCheck>>;
}

/** Time for which results are used again. */
const FRESH_MS = 30_000;
const TIMEOUT_MS = 5000;
/** Upstreams that are checked at once. */
export const MAX_CHECKED = 8;

/** Creates the checks. Nothing is sent until they run; then at most two requests to an upstream in 30 s. */
export function createUpstreamChecks(
  upstreams: Iterable<Upstream>,
  network: { fetch: typeof fetch; clock: Clock },
): UpstreamChecks {
  const all = [...upstreams];
  const checked = all.filter((upstream) => upstream.fetch === undefined).slice(0, MAX_CHECKED);
  let results: Promise<ReadonlyMap<string, UpstreamCheck>> | undefined;
  let startedAt = 0;

  async function checkAll(): Promise<ReadonlyMap<string, UpstreamCheck>> {
    const found = new Map<string, UpstreamCheck>(
      all.map(({ name }) => [name, { status: "unchecked", key: "unknown" }]),
    );
    const checks = await Promise.all(checked.map((upstream) => checkUpstream(upstream, network)));
    for (const [at, { name }] of checked.entries()) found.set(name, checks[at] ?? UNCHECKED);
    return found;
  }

  return {
    run() {
      const now = network.clock.now();
      if (results === undefined || Math.abs(now - startedAt) >= FRESH_MS) {
        startedAt = now;
        results = checkAll();
      }
      return results;
    },
  };
}

const UNCHECKED: UpstreamCheck = { status: "unchecked", key: "unknown" };

/** Checks one upstream: that it answers, and that it accepts the gateway's key. */
export async function checkUpstream(
  upstream: Upstream,
  network: { fetch: typeof fetch; clock: Clock },
): Promise<UpstreamCheck> {
  const { clock } = network;
  const startedAt = clock.now();
  const hasKey = upstream.key !== undefined;
  const paths = hasKey ? [...new Set([hostFacts(upstream.preset).keyCheck, MODELS_PATH])] : [MODELS_PATH];
  let error: ApiError | undefined;
  for (const path of paths) {
    error = await request(upstream, path, network);
    // Servers that imitate a host may lack its check of the key.
    if (error?.status !== 404 && error?.status !== 405) break;
  }
  const times = { latency_ms: clock.now() - startedAt, checked_at: new Date(startedAt).toISOString() };
  if (error === undefined) return { status: "healthy", key: hasKey ? "valid" : "not_set", ...times };
  const isRejected = error.status === 401 || error.status === 403;
  if (isRejected && hasKey) return { status: "key_rejected", key: "rejected", ...times, error: error.type };
  const key = hasKey ? "unknown" : "not_set";
  // Any other answer of a client's error shows that the upstream works; so does a limit.
  if (error.status < 500) return { status: "healthy", key, ...times };
  const code = readFailureCode(error.cause);
  return { status: "unreachable", key, ...times, error: error.type, ...(code !== undefined && { code }) };
}

const MODELS_PATH = "/models";

/** Sends a request without a body. Returns the failure, if it fails. */
async function request(
  upstream: Upstream,
  path: string,
  network: { fetch: typeof fetch; clock: Clock },
): Promise<ApiError | undefined> {
  const controller = new AbortController();
  const timeout = () => new ApiError("timeout_error", `Cannot reach upstream "${upstream.name}": no answer`);
  const cancel = network.clock.after(TIMEOUT_MS, () => controller.abort(timeout()));
  const { signal } = controller;
  try {
    const aborted = new Promise<never>((_, reject) =>
      signal.addEventListener("abort", () => reject(signal.reason), { once: true })
    );
    const response = await Promise.race([
      send(network, upstream, { path, caller: { client: "health" }, signal }),
      aborted,
    ]);
    await response.body?.cancel();
    return undefined;
  } catch (error) {
    if (error instanceof ApiError) return error;
    return new ApiError("api_error", `Cannot check upstream "${upstream.name}"`, { cause: error });
  } finally {
    cancel();
  }
}
