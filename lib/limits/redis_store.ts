import * as v from "valibot";
import type { Clock } from "../runtime/clock.ts";
import { ApiError } from "../base/errors.ts";
import { logWarning } from "../observability/log.ts";
import type { Charge, Quota } from "./quota.ts";
import { CHARGE_SCRIPT } from "./redis_script.ts";
import type { ChargeResult, LimitStore } from "./store.ts";

/** Milliseconds that the server has for an answer, that connecting to it may take, and that nobody tries after a failure. */
const ANSWER_TIMEOUT_MS = 1000;
const CONNECT_TIMEOUT_MS = 5000;
const RETRY_BLOCK_MS = 1000;
/** Milliseconds that a place is believed to be taken, and after which that is confirmed. */
const LEASE_MS = 90_000;
const LEASE_RENEWAL_MS = 30_000;

/** What a gateway needs of a server of Redis or Valkey. */
export interface RedisConnection {
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
  /** Ends it at once. */
  destroy(): void;
}

/** What a {@linkcode createRedisStore} is made of. */
export interface RedisStoreOptions {
  clock: Clock;
  /** How the server is reached; by the package `@redis/client` where nothing is given. */
  connect?: (url: string) => Promise<RedisConnection>;
}

/**
 * Creates a store that several gateways share, in a Redis or Valkey; nothing is connected before the first request.
 *
 * While the server cannot be reached no request is admitted: it might spend what is not there. What was used meanwhile
 * is recorded once it is back. A place that a gateway took and never gave back, because it was killed, is free again
 * after 90 seconds.
 */
export function createRedisStore(
  url: string,
  { clock, connect = connectRedis }: RedisStoreOptions,
): LimitStore {
  let connection: Promise<RedisConnection> | undefined;
  let failedAt = -Infinity;
  /** What the server has not heard of yet, by the meter's name. */
  const unrecorded = new Map<string, Charge>();
  /** The places that are taken, by who holds them. */
  const leases = new Map<string, Charge[]>();
  let stopRenewal: (() => void) | undefined;

  async function runScript(
    charges: readonly Charge[],
    { mode, now }: { mode: "charge" | "record"; now: number },
  ): Promise<ChargeResult> {
    if (now - failedAt < RETRY_BLOCK_MS) throw new Error("it failed a moment ago");
    connection ??= connect(url);
    const current = connection;
    try {
      const redis = await withTimeout(current, { ms: CONNECT_TIMEOUT_MS, clock });
      const answer = redis.eval(CHARGE_SCRIPT, toScriptOptions(charges, { mode, now }));
      return parseScriptAnswer(await withTimeout(answer, { ms: ANSWER_TIMEOUT_MS, clock }));
    } catch (error) {
      if (connection === current) {
        connection = undefined;
        failedAt = clock.now();
        logWarning("RATE_LIMIT_STORE does not answer, so that no request is admitted", { error });
      }
      current.then((redis) => redis.destroy()).catch(() => {}); // it is given up, whatever it says
      throw error;
    }
  }

  async function flushUnrecorded(now: number): Promise<void> {
    if (unrecorded.size === 0) return;
    const pending = [...unrecorded.values()];
    unrecorded.clear();
    await runScript(pending, { mode: "record", now }).catch((error) => {
      queueUnrecorded(pending);
      throw error;
    });
  }

  function queueUnrecorded(charges: readonly Charge[]): void {
    for (const { quota, amount } of charges) {
      if (quota.kind === "concurrency") continue; // it frees itself
      const before = unrecorded.get(quota.name)?.amount ?? 0;
      if (unrecorded.size < MAX_UNRECORDED_QUOTAS || unrecorded.has(quota.name)) {
        unrecorded.set(quota.name, { quota, amount: before + amount });
      }
    }
  }

  function trackLeases(charges: readonly Charge[]): void {
    for (const charge of charges) {
      if (charge.holder === undefined) continue;
      if (charge.amount < 0) leases.delete(charge.holder);
      else leases.set(charge.holder, [...leases.get(charge.holder) ?? [], { ...charge, amount: 0 }]);
    }
    if (leases.size > 0) stopRenewal ??= clock.every(LEASE_RENEWAL_MS, renewLeases);
    else {
      stopRenewal?.();
      stopRenewal = undefined;
    }
  }

  function renewLeases(): void {
    runScript([...leases.values()].flat(), { mode: "record", now: clock.now() }).catch(() => {}); // logged; told again later
  }

  return {
    async charge(charges, now) {
      try {
        await flushUnrecorded(now);
        const result = await runScript(charges, { mode: "charge", now });
        if (result.fits) trackLeases(charges);
        return result;
      } catch (cause) {
        const message = "Cannot take the request: the store of limits does not answer";
        throw new ApiError("overloaded_error", message, { retryAfter: "5", cause });
      }
    },
    record(charges, now) {
      trackLeases(charges);
      runScript(charges, { mode: "record", now }).catch(() => queueUnrecorded(charges));
    },
  };
}

const MAX_UNRECORDED_QUOTAS = 10_000;

/** Connects to a server; the client is loaded only here. */
async function connectRedis(url: string): Promise<RedisConnection> {
  const { createClient } = await import("@redis/client");
  const client = createClient({
    url,
    RESP: 2, // with the newer protocol the client reads the environment, which Deno would have to allow
    disableOfflineQueue: true,
    socket: { connectTimeout: CONNECT_TIMEOUT_MS, reconnectStrategy: false },
  });
  client.on("error", () => {}); // whoever waits for an answer hears of it
  client.unref(); // no program lives on for this alone
  await client.connect();
  return client;
}

/** @throws {Error} if the server does not answer in time. */
async function withTimeout<T>(answer: Promise<T>, { ms, clock }: { ms: number; clock: Clock }): Promise<T> {
  let cancelTimer = () => {};
  const timeout = new Promise<never>((_, reject) => {
    cancelTimer = clock.after(ms, () => reject(new Error(`it took longer than ${ms} ms`)));
  });
  return await Promise.race([answer, timeout]).finally(cancelTimer);
}

function toScriptOptions(charges: readonly Charge[], { mode, now }: { mode: string; now: number }) {
  return {
    keys: charges.map(({ quota }) => redisKey(quota)),
    arguments: [
      String(now),
      mode,
      ...charges.flatMap(({ quota, amount, holder = "" }) => {
        const ttlMs = quota.kind === "budget" ? Math.ceil(quota.until - now) : LEASE_MS;
        return [quota.kind, quota.limit, amount, ttlMs, holder, now + LEASE_MS].map(String);
      }),
    ],
  };
}

/** The braces keep all keys on one server of a cluster, where a script may use them together. */
function redisKey({ name }: Quota): string {
  return `gateway:{limits}:${name}`;
}

const ScriptAnswer = v.tupleWithRest([v.number()], v.pipe(v.string(), v.transform(Number), v.finite()));

function parseScriptAnswer(answer: unknown): ChargeResult {
  const [fits, ...used] = v.parse(ScriptAnswer, answer);
  return { fits: fits === 1, used };
}
