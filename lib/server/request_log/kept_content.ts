import { MessageAccumulator } from "../../anthropic/collect.ts";
import type { StreamEvent } from "../../anthropic/events.ts";
import type { FinishedRequest } from "../../observability/request_record.ts";

/** Content of a request and of its answer, for the log of bodies. */
export class KeptContent {
  readonly #request: unknown;
  readonly #answer = new MessageAccumulator();

  constructor(request: unknown) {
    this.#request = request;
  }

  /** Adds events of the answer. An answer that cannot be collected is kept up to there. */
  add(batch: readonly StreamEvent[]): void {
    try {
      for (const event of batch) this.#answer.add(event);
    } catch {
      // The log must not fail an answer that the client can read.
    }
  }

  /** Returns what there is. */
  get content(): NonNullable<FinishedRequest["content"]> {
    return { request: this.#request, answer: this.#answer.content };
  }
}
