import type { Clock } from "../runtime/clock.ts";
import type { ApiError } from "../base/errors.ts";
import { StoreError } from "../base/store_error.ts";
import { ConfigError } from "../config/parse.ts";
import { logger, logWarning } from "../observability/log.ts";
import { type DoJob, type Engine, EngineError, type Job, type JobOutcome, toJobId } from "./engine.ts";
import { SERVICE } from "./restate_service.ts";

/** Pause between two attempts to reach the ingress, and the attempts, in milliseconds. */
const PAUSE_MS = 1000;
const MAX_ATTEMPTS = 30;

const HOUR_MS = 3_600_000;

/** Options of {@linkcode createRestate}. */
export interface RestateOptions {
  /** Address of the ingress of Restate's server. */
  ingressUrl: string;
  /** Public keys that Restate's server signs its requests with. Requests without a signature are a 401. */
  identityKeys: readonly string[];
  /** Maximum time of a job, in milliseconds. */
  jobTimeoutMs: number;
  fetch: typeof fetch;
  clock: Clock;
}

/**
 * Creates the engine of a Restate server. Each job is an invocation, with the job's id as its idempotency key. The
 * server calls the gateways at `/restate`, another one if the first has ended. It receives ids of the store, and no
 * content.
 *
 * `@restatedev/restate-sdk` is loaded then; it needs Node 22, Deno or Bun.
 */
export function createRestate(
  { ingressUrl, identityKeys, jobTimeoutMs, fetch, clock }: RestateOptions,
  doJob: DoJob,
): Engine {
  const base = `${ingressUrl.replace(/\/+$/, "")}/${SERVICE}/run`;
  const closed = new AbortController();
  let handler: Promise<(request: Request) => Promise<Response>> | undefined;

  async function createHandler() {
    const { createEndpointHandler, service, handlers } = await loadSdk();
    const run = handlers.handler(
      {},
      (context, job: Job) => doJob(job, context.request().attemptCompletedSignal),
    );
    const retention = { idempotencyRetention: 24 * HOUR_MS, journalRetention: 0 };
    const options = {
      ...retention,
      // The server is told of nothing until a job ends.
      inactivityTimeout: jobTimeoutMs,
      abortTimeout: 60_000,
      retryPolicy: {
        initialInterval: 100,
        exponentiationFactor: 2,
        maxInterval: 5000,
        maxAttempts: 10_000,
        onMaxAttempts: "kill" as const,
      },
    };
    return createEndpointHandler({
      services: [service({ name: SERVICE, handlers: { run }, options })],
      identityKeys: [...identityKeys],
      logger: ({ level }, ...words) =>
        logger.debug("restate: {text}", { level, text: words.map(String).join(" ") }),
    });
  }

  async function send(job: Job): Promise<Response> {
    const request = {
      method: "POST",
      headers: { "content-type": "application/json", "idempotency-key": toJobId(job) },
      body: JSON.stringify(job),
      signal: closed.signal,
    };
    for (let attempt = 1;; attempt++) {
      try {
        const response = await fetch(base, request);
        if (!isTransient(response.status) || attempt === MAX_ATTEMPTS) return response;
        await response.body?.cancel();
      } catch (cause) {
        if (attempt === MAX_ATTEMPTS || closed.signal.aborted) throw unreachable(cause);
      }
      await new Promise<void>((resolve) => void clock.after(PAUSE_MS, resolve));
    }
  }

  return {
    async run(job) {
      const response = await send(job);
      if (response.ok) return await response.json() as JobOutcome;
      const text = (await response.text()).slice(0, MAX_SHOWN_CHARS);
      logWarning("Restate has given a job up", { job: toJobId(job), status: response.status, text });
      if (isTransient(response.status)) throw unreachable(undefined);
      throw new EngineError(
        response.status === 404
          ? "the gateway is not registered at Restate's server"
          : `Restate answers with status ${response.status}`,
      );
    },
    async answer(request) {
      handler ??= createHandler();
      return await (await handler)(request);
    },
    ready: async () => void await loadSdk(),
    close: () => closed.abort(),
  };
}

/** Loads the optional package. @throws {ConfigError} if it is not installed or does not run here. */
async function loadSdk(): Promise<typeof import("@restatedev/restate-sdk/fetch")> {
  const why = "withResolvers" in Promise ? "install the package @restatedev/restate-sdk" : "it needs Node 22";
  try {
    if (!("withResolvers" in Promise)) throw new Error(why);
    return await import("@restatedev/restate-sdk/fetch");
  } catch (cause) {
    throw Object.assign(new ConfigError([`Cannot use RESTATE_INGRESS_URL: ${why}`]), { cause });
  }
}

/** True if the ingress may do the job later: it starts, or a proxy before it cannot reach it. */
function isTransient(status: number): boolean {
  return status === 429 || status === 502 || status === 503 || status === 504;
}

function unreachable(cause: unknown): ApiError {
  return StoreError.unreachable("durable engine", { cause });
}

const MAX_SHOWN_CHARS = 500;
