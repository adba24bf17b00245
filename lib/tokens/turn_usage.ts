import type { StreamEvent, Usage } from "../anthropic/events.ts";
import type { ListPrice } from "../dialects/mod.ts";
import { costByListPrice, type TokenCounts } from "./price.ts";
import { OutputCounter } from "./output_counter.ts";

/** Usage and cost of one turn. */
export interface TurnUsage {
  /** Input tokens, cache writes included, cache reads excluded. */
  inputTokens: number;
  outputTokens: number;
  /** Tokens by kind. */
  tokens: TokenCounts;
  /** Cost in USD as the upstream reported it, if it did. */
  cost: number | undefined;
  /** Cost in USD: reported, or else by list price. `undefined` if both are unknown. */
  usd: number | undefined;
}

/** Options of {@linkcode UsageTally}. */
export interface TallyOptions {
  price: ListPrice | undefined;
  /** Estimates the input tokens of the request. Called only if the upstream reports none. */
  countInput(): number;
  /** Corrects the tokens of an answer, which were counted by runs of characters, for its model. */
  correctOutput(tokens: number): number;
  /** Output tokens of thinking that the request asks for. */
  requestedThinking: number;
  /** Maximum output tokens of the request. */
  maxTokens: number;
}

/** What the upstream has reported of a turn. Undefined fields were not reported. */
export interface UsageReports {
  cost?: number | undefined;
  inputTokens?: number | undefined;
  outputTokens?: number | undefined;
}

/**
 * Sums the usage of a turn from its events.
 *
 * Upstreams report the counts at the end. If the answer has no such report, the output received is counted by its text.
 * If the client has left, thinking that was requested but not received is added as if the model had used all of it: the
 * upstream charges hidden thinking too.
 *
 * @example Usage
 * ```ts
 * import { UsageTally } from "./turn_usage.ts";
 *
 * const tally = new UsageTally({
 *   price: { input: 0.01, output: 0.1 },
 *   countInput: () => 100,
 *   correctOutput: (tokens) => tokens,
 *   requestedThinking: 0,
 *   maxTokens: 1000,
 * });
 * tally.add([{ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "two words" } }]);
 * const { outputTokens, usd } = tally.toTurnUsage({}, { left: false });
 * if (outputTokens !== 2 || usd?.toFixed(4) !== "1.2000") throw new Error(`${outputTokens} ${usd}`);
 * ```
 */
export class UsageTally {
  readonly #options: TallyOptions;
  readonly #usage: Partial<Usage> = {};
  readonly #output = new OutputCounter();
  #hasThinking = false;
  #complete = false;

  constructor(options: TallyOptions) {
    this.#options = options;
  }

  /** Adds events of the turn. */
  add(events: readonly StreamEvent[]): void {
    for (const event of events) {
      if (event.type === "content_block_delta") this.#addDelta(event.delta);
      else if (event.type === "message_start") Object.assign(this.#usage, event.message.usage);
      else if (event.type === "message_delta") {
        Object.assign(this.#usage, event.usage);
        this.#complete = true;
      }
    }
  }

  /** Returns the usage so far. `left` is true if the client left before the end of the answer. */
  toTurnUsage({ cost, inputTokens, outputTokens }: UsageReports, { left }: { left: boolean }): TurnUsage {
    const { price, countInput } = this.#options;
    const isReported = this.#complete && outputTokens !== undefined;
    const hasInput = isReported || inputTokens !== undefined;
    const usage = hasInput ? this.#usage : { input_tokens: countInput() };
    const input = validTokenCount(usage.input_tokens);
    const cacheRead = validTokenCount(usage.cache_read_input_tokens);
    const cacheWrite = validTokenCount(usage.cache_creation_input_tokens);
    const reported = validTokenCount(this.#usage.output_tokens);
    const output = isReported
      ? reported
      : Math.max(reported, validTokenCount(outputTokens), this.#estimateOutput(left));
    const validCost = cost !== undefined && cost >= 0 && cost < Infinity ? cost : undefined;
    const tokens = { input, cacheRead, cacheWrite, output };
    return {
      inputTokens: input + cacheWrite,
      outputTokens: output,
      tokens,
      cost: validCost,
      usd: validCost ?? costByListPrice(price, tokens),
    };
  }

  /** Signatures are not counted: the model does not generate them. */
  #addDelta({ text, thinking, partial_json: json }: { [field: string]: unknown }): void {
    const content = text ?? thinking ?? json;
    if (typeof content !== "string") return;
    this.#output.add(content);
    if (typeof thinking === "string" && thinking !== "") this.#hasThinking = true;
  }

  #estimateOutput(left: boolean): number {
    const { correctOutput, requestedThinking, maxTokens } = this.#options;
    const hidden = left && !this.#hasThinking ? requestedThinking : 0;
    const received = correctOutput(this.#output.tokens);
    return Math.max(received, Math.min(received + hidden, maxTokens));
  }
}

/** Returns a reported token count, or 0 if the value is not a plausible count. */
function validTokenCount(value: unknown): number {
  return typeof value === "number" && value > 0 && value <= MAX_REPORTED_TOKENS ? value : 0;
}

const MAX_REPORTED_TOKENS = 1e9;
