import { LimitError } from "./limit_error.ts";

/** Counts the bytes of request bodies that are being read. */
export interface BodyMeter {
  /** Starts to count the body of a client's request. */
  start(client: string): BodyCount;
}

/** Count of one body. */
export interface BodyCount {
  /**
   * Adds received bytes.
   *
   * @throws {ApiError} `overloaded_error` if the process, `rate_limit_error` if the client reads too much at once.
   */
  add(bytes: number): void;
  /** Ends the count, when the body is complete or dropped. */
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
              `${CANNOT} the gateway is reading too many bodies at once`,
              RETRY,
            );
          }
          if (ofClient > maxBytes / 2) {
            throw new LimitError(
              "rate_limit_error",
              `${CANNOT} this key is sending too many bodies at once`,
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
