import { ANONYMOUS, type Caller } from "../access/caller.ts";
import type { StreamEvent } from "../anthropic/events.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Shutdown } from "../runtime/shutdown.ts";
import { logRequest, type RequestRecord } from "../observability/log.ts";
import type { UpstreamHeaders } from "../upstreams/upstream_headers.ts";
import type { Counters } from "../observability/counters.ts";

/** Fields of the log record that become known while a request is answered. */
type RequestFields = Partial<
  Omit<
    RequestRecord,
    "requestId" | "upstreamRequestId" | "client" | "method" | "path" | "outcome" | "status" | "milliseconds"
  >
>;

/** Log record of one request; also updates the counters. It never holds content. */
export class RequestLog {
  readonly requestId: string;
  /** The caller; anonymous until authenticated. */
  caller: Caller = ANONYMOUS;
  /** The client's `x-correlation-id`, if it is safe for logs and headers. */
  readonly correlationId: string | undefined;
  /** Headers of the upstream's last response that the client receives. */
  upstreamHeaders: UpstreamHeaders = { rateLimits: [] };
  readonly #clock: Clock;
  readonly #counters: Counters;
  readonly #startedAt: number;
  readonly #untrack: () => void;
  #record: RequestFields & Pick<RequestRecord, "method" | "path">;
  /** True if the answer continues after the response was returned. The end of the stream then ends the record. */
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
    // Some servers pass a URL without a valid host.
    const path = URL.canParse(request.url) ? new URL(request.url).pathname : "";
    this.#record = { method: request.method, path, correlationId: this.correlationId };
    counters.requests++;
    counters.open++;
    this.#untrack = shutdown.track();
  }

  /** Adds fields to the record. */
  add(fields: RequestFields): void {
    this.#record = { ...this.#record, ...fields };
  }

  /** Adds the cost of a turn, in USD. */
  addCost(usd: number): void {
    this.add({ cost: (this.#record.cost ?? 0) + usd });
  }

  /** Passes the events of an answer through and records their stop reason and usage. */
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

  /** Completes the record and logs it. Later calls have no effect. */
  end(outcome: RequestRecord["outcome"], status: number, error?: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#counters.open--;
    this.#untrack();
    if (outcome === "failed") this.#counters.errors++;
    const milliseconds = this.#clock.now() - this.#startedAt;
    const { requestId, caller: { client }, upstreamHeaders: { requestId: upstreamRequestId } } = this;
    const ids = { requestId, ...(upstreamRequestId !== undefined && { upstreamRequestId }) };
    logRequest({ ...this.#record, ...ids, client, outcome, status, milliseconds, error });
  }
}
