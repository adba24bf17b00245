import * as v from "valibot";
import type { Clock } from "../runtime/clock.ts";
import { ApiError } from "../base/errors.ts";
import { logWarning } from "../observability/log.ts";
import type { Draw, Meter } from "./quota.ts";
import { SCRIPT } from "./redis_script.ts";
import type { LimitStore, Verdict } from "./store.ts";

/** Milliseconds that the server has for an answer, that connecting to it may take, and that nobody tries after a failure. */
const PATIENCE = 1000;
const CONNECTING = 5000;
const DISCOURAGED = 1000;
/** Milliseconds that a place is believed to be taken, and after which that is confirmed. */
const LEASE = 90_000;
const CONFIRM = 30_000;

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
  const owed = new Map<string, Draw>();
  /** The places that are taken, by who holds them. */
  const held = new Map<string, Draw[]>();
  let stopConfirming: (() => void) | undefined;

  async function run(
    draws: readonly Draw[],
    { mode, now }: { mode: "draw" | "record"; now: number },
  ): Promise<Verdict> {
    if (now - failedAt < DISCOURAGED) throw new Error("it failed a moment ago");
    connection ??= connect(url);
    const current = connection;
    try {
      const redis = await within(current, { ms: CONNECTING, clock });
      const answer = redis.eval(SCRIPT, toScriptOptions(draws, { mode, now }));
      return toVerdict(await within(answer, { ms: PATIENCE, clock }));
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

  async function settle(now: number): Promise<void> {
    if (owed.size === 0) return;
    const debts = [...owed.values()];
    owed.clear();
    await run(debts, { mode: "record", now }).catch((error) => {
      owe(debts);
      throw error;
    });
  }

  function owe(draws: readonly Draw[]): void {
    for (const { meter, amount } of draws) {
      if (meter.kind === "places") continue; // it frees itself
      const before = owed.get(meter.name)?.amount ?? 0;
      if (owed.size < MOST_OWED || owed.has(meter.name)) {
        owed.set(meter.name, { meter, amount: before + amount });
      }
    }
  }

  function hold(draws: readonly Draw[]): void {
    for (const draw of draws) {
      if (draw.holder === undefined) continue;
      if (draw.amount < 0) held.delete(draw.holder);
      else held.set(draw.holder, [...held.get(draw.holder) ?? [], { ...draw, amount: 0 }]);
    }
    if (held.size > 0) stopConfirming ??= clock.every(CONFIRM, confirm);
    else {
      stopConfirming?.();
      stopConfirming = undefined;
    }
  }

  function confirm(): void {
    run([...held.values()].flat(), { mode: "record", now: clock.now() }).catch(() => {}); // logged; told again later
  }

  return {
    async draw(draws, now) {
      try {
        await settle(now);
        const verdict = await run(draws, { mode: "draw", now });
        if (verdict.fits) hold(draws);
        return verdict;
      } catch (cause) {
        const why = "Cannot take the request: the store of limits does not answer";
        throw new ApiError("overloaded_error", why, { retryAfter: "5", cause });
      }
    },
    record(draws, now) {
      hold(draws);
      run(draws, { mode: "record", now }).catch(() => owe(draws));
    },
  };
}

const MOST_OWED = 10_000;

/** Connects to a server; the client is loaded only here. */
async function connectRedis(url: string): Promise<RedisConnection> {
  const { createClient } = await import("@redis/client");
  const client = createClient({
    url,
    RESP: 2, // with the newer protocol the client reads the environment, which Deno would have to allow
    disableOfflineQueue: true,
    socket: { connectTimeout: CONNECTING, reconnectStrategy: false },
  });
  client.on("error", () => {}); // whoever waits for an answer hears of it
  client.unref(); // no program lives on for this alone
  await client.connect();
  return client;
}

/** @throws {Error} if the server does not answer in time. */
async function within<T>(answer: Promise<T>, { ms, clock }: { ms: number; clock: Clock }): Promise<T> {
  let stop = () => {};
  const late = new Promise<never>((_, reject) => {
    stop = clock.after(ms, () => reject(new Error(`it took longer than ${ms} ms`)));
  });
  return await Promise.race([answer, late]).finally(stop);
}

function toScriptOptions(draws: readonly Draw[], { mode, now }: { mode: string; now: number }) {
  return {
    keys: draws.map(({ meter }) => toKey(meter)),
    arguments: [
      String(now),
      mode,
      ...draws.flatMap(({ meter, amount, holder = "" }) => {
        const life = meter.kind === "budget" ? Math.ceil(meter.until - now) : LEASE;
        return [meter.kind, meter.limit, amount, life, holder, now + LEASE].map(String);
      }),
    ],
  };
}

/** The braces keep all keys on one server of a cluster, where a script may use them together. */
function toKey({ name }: Meter): string {
  return `gateway:{limits}:${name}`;
}

const AnswerSchema = v.tupleWithRest([v.number()], v.pipe(v.string(), v.transform(Number), v.finite()));

function toVerdict(answer: unknown): Verdict {
  const [fits, ...used] = v.parse(AnswerSchema, answer);
  return { fits: fits === 1, used };
}
