import { CHARS_PER_TOKEN } from "../base/chars_per_token.ts";
import type { StreamEvent, Usage } from "../anthropic/events.ts";
import type { ListPrice } from "../dialects/mod.ts";
import { toListPrice } from "./price.ts";

/** What one turn used, as far as anybody can tell. */
export interface Bill {
  /** Tokens of the request, without those that the upstream's cache was read for. */
  inputTokens: number;
  outputTokens: number;
  /** What the upstream says the turn cost, in USD, where it does. */
  cost: number | undefined;
  /** What it cost, in USD: as the upstream says, or by list price; `undefined` where neither is known. */
  usd: number | undefined;
}

/**
 * Adds up what a turn uses while its events pass.
 *
 * The upstream reports the counts at the end. Of an answer that never gets there, because it fails or nobody hears it
 * any more, what was said until then is counted by its length.
 *
 * @example Usage
 * ```ts
 * import { Tally } from "./turn_usage.ts";
 *
 * const tally = new Tally({ inputTokens: 100, price: { input: 0.01, output: 0.1 } });
 * tally.add([{ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "12345678" } }]);
 * const { outputTokens, usd } = tally.toBill(undefined);
 * if (outputTokens !== 2 || usd?.toFixed(4) !== "1.2000") throw new Error(`${outputTokens} ${usd}`);
 * ```
 */
export class Tally {
  readonly #price: ListPrice | undefined;
  readonly #usage: Partial<Usage>;
  #said = 0;
  #counted = false;

  /** `inputTokens` is the estimate of the request, which counts where nobody reports better. */
  constructor({ inputTokens, price }: { inputTokens: number; price: ListPrice | undefined }) {
    this.#usage = { input_tokens: inputTokens };
    this.#price = price;
  }

  /** Takes note of events that pass. */
  add(events: readonly StreamEvent[]): void {
    for (const event of events) {
      if (event.type === "content_block_delta") this.#said += lengthOf(event.delta);
      else if (event.type === "message_start") Object.assign(this.#usage, event.message.usage);
      else if (event.type === "message_delta") {
        Object.assign(this.#usage, event.usage);
        this.#counted = true;
      }
    }
  }

  /** The bill of what has passed, with what the upstream says it cost. */
  toBill(cost: number | undefined): Bill {
    const input = toCount(this.#usage.input_tokens);
    const cacheRead = toCount(this.#usage.cache_read_input_tokens);
    const cacheWrite = toCount(this.#usage.cache_creation_input_tokens);
    const reported = toCount(this.#usage.output_tokens);
    const output = this.#counted ? reported : Math.max(reported, Math.ceil(this.#said / CHARS_PER_TOKEN));
    const believed = cost !== undefined && cost >= 0 && cost < Infinity ? cost : undefined;
    return {
      inputTokens: input + cacheWrite,
      outputTokens: output,
      cost: believed,
      usd: believed ?? toListPrice(this.#price, { input, cacheRead, cacheWrite, output }),
    };
  }
}

/** How many characters of text, thinking or arguments a delta has; signatures are no tokens of the model's. */
function lengthOf({ text, thinking, partial_json: json }: { [field: string]: unknown }): number {
  const said = text ?? thinking ?? json;
  return typeof said === "string" ? said.length : 0;
}

/** What an upstream counts may be anything: what no message can have counts for none. */
function toCount(value: unknown): number {
  return typeof value === "number" && value > 0 && value <= MOST_TOKENS ? value : 0;
}

const MOST_TOKENS = 1e9;
