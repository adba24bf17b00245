import type { ListPrice } from "../dialects/mod.ts";

/** Token counts of a message. `input` excludes tokens read from or written to the cache. */
export interface TokenCounts {
  input: number;
  cacheRead: number;
  cacheWrite: number;
  output: number;
}

/** Returns the price of one input token, in USD, for an input of `tokens` tokens (cached ones included), if listed. */
export function inputPrice(price: ListPrice | undefined, tokens: number): number | undefined {
  return price?.inputTiers?.findLast(({ above }) => tokens > above)?.input ?? price?.input;
}

/**
 * Returns the cost of tokens by list price, in USD; `undefined` if the price is unknown.
 *
 * @example Usage
 * ```ts
 * import { costByListPrice } from "./price.ts";
 *
 * const price = { input: 0.5, cacheRead: 0.125, output: 2 };
 * const usd = costByListPrice(price, { input: 4, cacheRead: 8, cacheWrite: 2, output: 1 });
 * if (usd !== 2 + 1 + 1 + 2) throw new Error(String(usd));
 * ```
 */
export function costByListPrice(price: ListPrice | undefined, tokens: TokenCounts): number | undefined {
  const { input, cacheRead, cacheWrite, output } = tokens;
  const inputRate = inputPrice(price, input + cacheRead + cacheWrite);
  if (inputRate === undefined || price?.output === undefined) return undefined;
  return input * inputRate + cacheRead * (price.cacheRead ?? inputRate) +
    cacheWrite * (price.cacheWrite ?? inputRate) +
    output * price.output;
}
