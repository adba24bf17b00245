import { CHARS_PER_TOKEN } from "../base/chars_per_token.ts";
import type { StreamEvent, Usage } from "../anthropic/events.ts";
import type { ListPrice } from "../dialects/mod.ts";
import { costByListPrice } from "./price.ts";

/** What one turn used, as far as anybody can tell. */
export interface TurnUsage {
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
 * import { UsageTally } from "./turn_usage.ts";
 *
 * const tally = new UsageTally({ inputTokens: 100, price: { input: 0.01, output: 0.1 } });
 * tally.add([{ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "12345678" } }]);
 * const { outputTokens, usd } = tally.toTurnUsage(undefined);
 * if (outputTokens !== 2 || usd?.toFixed(4) !== "1.2000") throw new Error(`${outputTokens} ${usd}`);
 * ```
 */
export class UsageTally {
  readonly #price: ListPrice | undefined;
  readonly #usage: Partial<Usage>;
  #streamedChars = 0;
  #hasReport = false;

  /** `inputTokens` is the estimate of the request, which counts where nobody reports better. */
  constructor({ inputTokens, price }: { inputTokens: number; price: ListPrice | undefined }) {
    this.#usage = { input_tokens: inputTokens };
    this.#price = price;
  }

  /** Takes note of events that pass. */
  add(events: readonly StreamEvent[]): void {
    for (const event of events) {
      if (event.type === "content_block_delta") this.#streamedChars += deltaChars(event.delta);
      else if (event.type === "message_start") Object.assign(this.#usage, event.message.usage);
      else if (event.type === "message_delta") {
        Object.assign(this.#usage, event.usage);
        this.#hasReport = true;
      }
    }
  }

  /** The bill of what has passed, with what the upstream says it cost. */
  toTurnUsage(cost: number | undefined): TurnUsage {
    const input = validTokenCount(this.#usage.input_tokens);
    const cacheRead = validTokenCount(this.#usage.cache_read_input_tokens);
    const cacheWrite = validTokenCount(this.#usage.cache_creation_input_tokens);
    const reported = validTokenCount(this.#usage.output_tokens);
    const output = this.#hasReport
      ? reported
      : Math.max(reported, Math.ceil(this.#streamedChars / CHARS_PER_TOKEN));
    const validCost = cost !== undefined && cost >= 0 && cost < Infinity ? cost : undefined;
    return {
      inputTokens: input + cacheWrite,
      outputTokens: output,
      cost: validCost,
      usd: validCost ?? costByListPrice(this.#price, { input, cacheRead, cacheWrite, output }),
    };
  }
}

/** How many characters of text, thinking or arguments a delta has; signatures are no tokens of the model's. */
function deltaChars({ text, thinking, partial_json: json }: { [field: string]: unknown }): number {
  const content = text ?? thinking ?? json;
  return typeof content === "string" ? content.length : 0;
}

/** What an upstream counts may be anything: what no message can have counts for none. */
function validTokenCount(value: unknown): number {
  return typeof value === "number" && value > 0 && value <= MAX_REPORTED_TOKENS ? value : 0;
}

const MAX_REPORTED_TOKENS = 1e9;
