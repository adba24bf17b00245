import { LimitError } from "./limit_error.ts";

/** Counts the bytes of the request bodies that are in memory: those of all open requests. */
export interface BodyMeter {
  /** Starts to count the body of a client's request, until the request ends. */
  start(client: string): BodyCount;
}

/** Count of one body. */
export interface BodyCount {
  /**
   * Adds received bytes.
   *
   * @throws {LimitError} `overloaded_error` if the bodies of the process, `rate_limit_error` if those of the client are
   * too large together.
   */
  add(bytes: number): void;
  /** Ends the count, when nothing needs the request any more. */
  end(): void;
}

/**
 * Creates a meter that lets all bodies together have `maxBytes`, and those of one client half of them.
 *
 * @example Usage
 * ```ts
 * import { createBodyMeter } from "./body_meter.ts";
 *
 * const body = createBodyMeter(1000).start("alice");
 * body.add(500);
 * body.end();
 * ```
 */
export function createBodyMeter(maxBytes: number): BodyMeter {
  let total = 0;
  const byClient = new Map<string, number>();
  const count = (client: string, bytes: number) => {
    total += bytes;
    const sum = (byClient.get(client) ?? 0) + bytes;
    if (sum > 0) byClient.set(client, sum);
    else byClient.delete(client);
    return sum;
  };
  return {
    start(client) {
      let size = 0;
      return {
        add(bytes) {
          size += bytes;
          const ofClient = count(client, bytes);
          if (total > maxBytes) {
            throw new LimitError(
              "overloaded_error",
              `${CANNOT} the gateway has too many large requests in progress`,
              RETRY,
            );
          }
          if (ofClient > maxBytes / 2) {
            throw new LimitError(
              "rate_limit_error",
              `${CANNOT} this key has too many large requests in progress`,
              RETRY,
            );
          }
        },
        end() {
          count(client, -size);
          size = 0;
        },
      };
    },
  };
}

const CANNOT = "Cannot read the request body:";
const RETRY = { retryAfter: "1" };
