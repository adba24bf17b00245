import type { ListPrice } from "../dialects/mod.ts";

/** Tokens of a message: the input apart from what its cache was read for and written. */
export interface Tokens {
  input: number;
  cacheRead: number;
  cacheWrite: number;
  output: number;
}

/** USD for one token of an input of so many, the cached ones among them; `undefined` where nobody lists it. */
export function inputPrice(price: ListPrice | undefined, tokens: number): number | undefined {
  return price?.long?.findLast(({ above }) => tokens > above)?.input ?? price?.input;
}

/**
 * What tokens cost by list price, in USD; `undefined` where that is not known.
 *
 * @example Usage
 * ```ts
 * import { toListPrice } from "./price.ts";
 *
 * const price = { input: 0.5, cacheRead: 0.125, output: 2 };
 * const usd = toListPrice(price, { input: 4, cacheRead: 8, cacheWrite: 2, output: 1 });
 * if (usd !== 2 + 1 + 1 + 2) throw new Error(String(usd));
 * ```
 */
export function toListPrice(price: ListPrice | undefined, tokens: Tokens): number | undefined {
  const { input, cacheRead, cacheWrite, output } = tokens;
  const each = inputPrice(price, input + cacheRead + cacheWrite);
  if (each === undefined || price?.output === undefined) return undefined;
  return input * each + cacheRead * (price.cacheRead ?? each) + cacheWrite * (price.cacheWrite ?? each) +
    output * price.output;
}
