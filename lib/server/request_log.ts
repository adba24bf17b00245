import { ANONYMOUS, type Caller } from "../access/caller.ts";
import type { StreamEvent } from "../anthropic/events.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Shutdown } from "../runtime/shutdown.ts";
import { logRequest, type RequestRecord } from "../observability/log.ts";
import type { Counters } from "../observability/counters.ts";

/** What is found out about a request on its way. */
type RequestFields = Partial<
  Omit<RequestRecord, "requestId" | "client" | "method" | "path" | "outcome" | "status" | "milliseconds">
>;

/** What is noted of one request while it is answered, for the log and the counters; never what was said in it. */
export class RequestLog {
  readonly requestId: string;
  /** Who asks; a stranger until let in. */
  caller: Caller = ANONYMOUS;
  /** The client's own id for the request, where it gave one that is fit for logs and headers. */
  readonly correlationId: string | undefined;
  readonly #clock: Clock;
  readonly #counters: Counters;
  readonly #startedAt: number;
  readonly #untrack: () => void;
  #record: RequestFields & Pick<RequestRecord, "method" | "path">;
  /** Whether the answer goes on after the response was given, so that its end is still to come. */
  streaming = false;
  #ended = false;

  constructor(request: Request, { clock, shutdown, counters, newId }: {
    clock: Clock;
    shutdown: Shutdown;
    counters: Counters;
    newId(prefix: string): string;
  }) {
    this.requestId = newId("req_");
    this.#clock = clock;
    this.#counters = counters;
    this.#startedAt = clock.now();
    const correlationId = request.headers.get("x-correlation-id") ?? "";
    this.correlationId = /^[\w.-]{1,128}$/.test(correlationId) ? correlationId : undefined;
    // Some servers hand over what has no host, or none that is valid.
    const path = URL.canParse(request.url) ? new URL(request.url).pathname : "";
    this.#record = { method: request.method, path, correlationId: this.correlationId };
    counters.requests++;
    counters.open++;
    this.#untrack = shutdown.track();
  }

  /** Notes more of what the request is about. */
  add(fields: RequestFields): void {
    this.#record = { ...this.#record, ...fields };
  }

  /** Notes what one of the turns behind the answer cost, in USD. */
  addCost(usd: number): void {
    this.add({ cost: (this.#record.cost ?? 0) + usd });
  }

  /** Lets the events of an answer pass and notes what they report: why it stopped and what it used. */
  async *observe(batches: AsyncGenerator<StreamEvent[]>): AsyncGenerator<StreamEvent[]> {
    for await (const batch of batches) {
      for (const event of batch) {
        if (event.type !== "message_delta") continue;
        const { input_tokens, output_tokens, cache_read_input_tokens } = event.usage;
        this.add({
          stopReason: event.delta.stop_reason ?? undefined,
          inputTokens: input_tokens,
          outputTokens: output_tokens,
          cachedTokens: cache_read_input_tokens ?? undefined,
        });
      }
      yield batch;
    }
  }

  /** Closes the record; only the first call counts. */
  end(outcome: RequestRecord["outcome"], status: number, error?: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#counters.open--;
    this.#untrack();
    if (outcome === "failed") this.#counters.errors++;
    const milliseconds = this.#clock.now() - this.#startedAt;
    const { requestId, caller: { client } } = this;
    logRequest({ ...this.#record, requestId, client, outcome, status, milliseconds, error });
  }
}
