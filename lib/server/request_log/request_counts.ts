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

  /** Returns the fields of the log record. Those that count nothing are left out. */
  toFields(): Pick<RequestRecord, "turns" | "retries" | "fallbacks" | "skipped" | "remedies" | "tools"> {
    return {
      ...(this.turns > 0 && { turns: this.turns }),
      ...(this.retries > 0 && { retries: this.retries }),
      ...(this.routes > 1 && { fallbacks: this.routes - 1 }),
      ...(this.skipped.size > 0 && { skipped: [...this.skipped] }),
      ...(this.remedies.length > 0 && { remedies: this.remedies }),
      ...(this.tools.length > 0 && { tools: this.tools }),
    };
  }
}
