import type { RequestRecord } from "../../observability/request_record.ts";

/** What is counted while a request is answered. */
export class RequestCounts {
  turns = 0;
  retries = 0;
  /** Models that were asked; each but the first is a fallback. */
  routes = 0;
  /** Targets that were left out because they had failed. */
  readonly skipped = new Set<string>();
  /** Changes that refusals of upstreams asked for. */
  readonly remedies: string[] = [];
  readonly tools: string[] = [];

  /** Returns the fields of the log record. Those that count nothing are undefined. */
  toFields(): Pick<RequestRecord, "turns" | "retries" | "fallbacks" | "skipped" | "remedies" | "tools"> {
    return {
      turns: this.turns || undefined,
      retries: this.retries || undefined,
      fallbacks: this.routes > 1 ? this.routes - 1 : undefined,
      skipped: this.skipped.size > 0 ? [...this.skipped] : undefined,
      remedies: this.remedies.length > 0 ? this.remedies : undefined,
      tools: this.tools.length > 0 ? this.tools : undefined,
    };
  }
}
