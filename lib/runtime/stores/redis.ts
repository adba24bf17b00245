import type { Clock } from "../clock.ts";

const ANSWER_TIMEOUT_MS = 1000;
const CONNECT_TIMEOUT_MS = 5000;
/** Time after a failure in which calls fail without contacting the server. */
const RETRY_BLOCK_MS = 1000;

/** The part of a Redis or Valkey client that stores use. */
export interface RedisConnection {
  eval(script: string, options: ScriptOptions): Promise<unknown>;
  /** Closes the connection immediately. */
  destroy(): void;
}

/** Keys and arguments of a Lua script. */
export interface ScriptOptions {
  keys: string[];
  arguments: string[];
}

/** Runs Lua scripts on a server. */
export interface RedisScripts {
  /** @throws {Error} if the server cannot be reached, or does not answer within a second. */
  run(script: string, options: ScriptOptions): Promise<unknown>;
}

/** Options of {@linkcode createRedisScripts}. */
export interface RedisOptions {
  clock: Clock;
  /** What the server is used as, for error messages: `rate limit store`. */
  name: string;
  /** Called with each failure, but not with calls that are rejected for a second after it. */
  onFailure(error: unknown): void;
  /** Opens a connection. Default: with the package `@redis/client`. */
  connect?: ((url: string) => Promise<RedisConnection>) | undefined;
}

/** Connects to a server with the first script, and again after a failure. */
export function createRedisScripts(
  url: string,
  { clock, name, onFailure, connect = connectRedis }: RedisOptions,
): RedisScripts {
  let connection: Promise<RedisConnection> | undefined;
  let failure: { at: number; error: unknown } | undefined;
  const withTimeout = <T>(answer: Promise<T>, ms: number) => rejectAfter(answer, { ms, clock, name });
  return {
    async run(script, options) {
      if (failure !== undefined && clock.now() - failure.at < RETRY_BLOCK_MS) {
        throw new Error(`Cannot reach the ${name}: it failed less than 1 s ago`, { cause: failure.error });
      }
      connection ??= connect(url);
      const current = connection;
      try {
        const redis = await withTimeout(current, CONNECT_TIMEOUT_MS);
        return await withTimeout(redis.eval(script, options), ANSWER_TIMEOUT_MS);
      } catch (error) {
        if (connection === current) {
          connection = undefined;
          failure = { at: clock.now(), error };
          onFailure(error);
        }
        current.then((redis) => redis.destroy()).catch(() => {}); // a failed connect is thrown below
        throw error;
      }
    },
  };
}

/** Connects to a server. Loads the client package on first use. */
async function connectRedis(url: string): Promise<RedisConnection> {
  const { createClient } = await import("@redis/client");
  const client = createClient({
    url,
    RESP: 2, // with RESP 3 the client reads the environment, which needs --allow-env on Deno
    disableOfflineQueue: true,
    socket: { connectTimeout: CONNECT_TIMEOUT_MS, reconnectStrategy: false },
  });
  client.on("error", () => {}); // pending commands reject with it
  client.unref(); // does not keep the process alive
  await client.connect();
  return client;
}

/** @throws {Error} if there is no answer in time. */
async function rejectAfter<T>(
  answer: Promise<T>,
  { ms, clock, name }: { ms: number; clock: Clock; name: string },
): Promise<T> {
  let cancelTimer = () => {};
  const timeout = new Promise<never>((_, reject) => {
    cancelTimer = clock.after(
      ms,
      () => reject(new Error(`Cannot wait for the ${name}: no answer within ${ms} ms`)),
    );
  });
  return await Promise.race([answer, timeout]).finally(cancelTimer);
}
