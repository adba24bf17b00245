import * as v from "valibot";
import type { Clock } from "../runtime/clock.ts";
import { createRepeatedWarning } from "../observability/repeated_warning.ts";
import { createRedisScripts, type RedisConnection } from "../runtime/stores/redis.ts";
import { toStoreError } from "../runtime/stores/redis_errors.ts";
import type { Charge, Quota } from "./quota.ts";
import { CHARGE_SCRIPT } from "./redis_script.ts";
import type { ChargeResult, LimitStore } from "./store.ts";

/** Time after which a concurrency slot is free unless its lease is renewed. */
const LEASE_MS = 90_000;
const LEASE_RENEWAL_MS = 30_000;

/** Options of {@linkcode createRedisStore}. */
export interface RedisStoreOptions {
  clock: Clock;
  /** Opens a connection. Default: with the package `@redis/client`. */
  connect?: (url: string) => Promise<RedisConnection>;
}

/** A store in Redis or Valkey. */
export interface RedisStore extends LimitStore {
  charge(charges: readonly Charge[], now: number): Promise<ChargeResult>;
}

/**
 * Creates a store in Redis or Valkey, which several gateways share. It connects at the first request.
 *
 * While the server is unreachable, all requests are rejected: a budget might be spent already. Usage recorded in the
 * meantime is sent when the server is back. The concurrency slots of a killed gateway become free after 90 seconds.
 */
export function createRedisStore(
  url: string,
  { clock, connect }: RedisStoreOptions,
): RedisStore {
  const scripts = createRedisScripts(url, {
    clock,
    connect,
    name: "rate limit store",
    onFailure: createRepeatedWarning("rate limit store unreachable, rejecting requests", {
      clock,
      component: "limits",
    }),
  });
  /** Charges not yet recorded on the server, by quota name. */
  const unrecorded = new Map<string, Charge>();
  /** Concurrency slots of this gateway, by holder. */
  const leases = new Map<string, Charge[]>();
  let stopRenewal: (() => void) | undefined;
  /** Records that the server has not confirmed yet. */
  const pending = new Set<Promise<void>>();

  async function runScript(
    charges: readonly Charge[],
    { mode, now }: { mode: "charge" | "record"; now: number },
  ): Promise<ChargeResult> {
    return parseScriptAnswer(await scripts.run(CHARGE_SCRIPT, toScriptOptions(charges, { mode, now })));
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
      if (quota.kind === "concurrency") continue; // its lease expires
      const before = unrecorded.get(quota.name)?.amount ?? 0;
      // The operator limits the number of keys, but clients choose the number of sessions.
      const isBounded = quota.subject.kind !== "session";
      if (isBounded || unrecorded.size < MAX_UNRECORDED_QUOTAS || unrecorded.has(quota.name)) {
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
    runScript([...leases.values()].flat(), { mode: "record", now: clock.now() }).catch(() => {}); // logged by runScript
  }

  return {
    async charge(charges, now) {
      try {
        await flushUnrecorded(now);
        const result = await runScript(charges, { mode: "charge", now });
        if (result.fits) trackLeases(charges);
        return result;
      } catch (cause) {
        throw toStoreError("rate limit store", { cause });
      }
    },
    record(charges, now) {
      trackLeases(charges);
      const recorded = runScript(charges, { mode: "record", now })
        .then(() => {}, () => queueUnrecorded(charges))
        .finally(() => pending.delete(recorded));
      pending.add(recorded);
    },
    async settle() {
      while (pending.size > 0) await Promise.all(pending);
      await flushUnrecorded(clock.now()).catch(() => {}); // logged by runScript
    },
  };
}

const MAX_UNRECORDED_QUOTAS = 10_000;

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

/** The braces are a hash tag: all keys are on one node of a cluster, as a script requires. */
function redisKey({ name }: Quota): string {
  return `gateway:{limits}:${name}`;
}

const ScriptAnswer = v.tupleWithRest([v.number()], v.pipe(v.string(), v.transform(Number), v.finite()));

function parseScriptAnswer(answer: unknown): ChargeResult {
  const [fits, ...used] = v.parse(ScriptAnswer, answer);
  return { fits: fits === 1, used };
}
