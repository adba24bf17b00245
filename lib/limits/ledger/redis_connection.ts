import type { Clock } from "../../runtime/clock.ts";

/** Time for a connection to open, in milliseconds. */
export const CONNECT_TIMEOUT_MS = 5000;

/** The part of a Redis or Valkey client that the store uses. */
export interface RedisConnection {
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
  /** Closes the connection immediately. */
  destroy(): void;
}

/** Connects to a server. Loads the client package on first use. */
export async function connectRedis(url: string): Promise<RedisConnection> {
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

/**
 * Waits for a server.
 *
 * @throws {Error} if it does not answer in time, or the error of the answer.
 */
export async function withTimeout<T>(
  answer: Promise<T>,
  { ms, clock }: { ms: number; clock: Clock },
): Promise<T> {
  let cancelTimer = () => {};
  const timeout = new Promise<never>((_, reject) => {
    cancelTimer = clock.after(
      ms,
      () => reject(new Error(`Cannot wait for the rate limit store: no answer within ${ms} ms`)),
    );
  });
  return await Promise.race([answer, timeout]).finally(cancelTimer);
}
