import { CHARS_PER_TOKEN } from "../base/chars_per_token.ts";
import type { StreamEvent, Usage } from "../anthropic/events.ts";
import type { ListPrice } from "../dialects/mod.ts";
import { costByListPrice } from "./price.ts";

/** Usage and cost of one turn. */
export interface TurnUsage {
  /** Input tokens, cache writes included, cache reads excluded. */
  inputTokens: number;
  outputTokens: number;
  /** Cost in USD as the upstream reported it, if it did. */
  cost: number | undefined;
  /** Cost in USD: reported, or else by list price. `undefined` if both are unknown. */
  usd: number | undefined;
}

/**
 * Sums the usage of a turn from its events.
 *
 * The upstream reports the counts at the end. If the answer fails or the client disconnects before, the output received
 * so far is counted by its length.
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

  /** `inputTokens` is the estimate of the request. A reported count replaces it. */
  constructor({ inputTokens, price }: { inputTokens: number; price: ListPrice | undefined }) {
    this.#usage = { input_tokens: inputTokens };
    this.#price = price;
  }

  /** Adds events of the turn. */
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

  /** Returns the usage so far. `cost` is the reported cost in USD. */
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

/** Characters of text, thinking or arguments in a delta. Signatures count as 0: the model does not generate them. */
function deltaChars({ text, thinking, partial_json: json }: { [field: string]: unknown }): number {
  const content = text ?? thinking ?? json;
  return typeof content === "string" ? content.length : 0;
}

/** Returns a reported token count, or 0 if the value is not a plausible count. */
function validTokenCount(value: unknown): number {
  return typeof value === "number" && value > 0 && value <= MAX_REPORTED_TOKENS ? value : 0;
}

const MAX_REPORTED_TOKENS = 1e9;
