import type { Batch } from "../../durable/batch_store.ts";

/**
 * Converts a batch to Anthropic's format.
 *
 * Source: https://platform.claude.com/docs/en/api/creating-message-batches
 */
export function toBatchView(batch: Batch, resultsUrl: string): object {
  const { id, status, counts, archivedAt } = batch;
  return {
    id,
    type: "message_batch",
    processing_status: status,
    request_counts: counts,
    ended_at: toTime(batch.endedAt),
    created_at: toTime(batch.createdAt),
    expires_at: toTime(batch.expiresAt),
    archived_at: toTime(archivedAt),
    cancel_initiated_at: toTime(batch.cancelInitiatedAt),
    results_url: status === "ended" && archivedAt === undefined ? resultsUrl : null,
  };
}

/**
 * Returns the URL of a batch's results, below the address that the client uses: SDKs send their key to it. Behind a
 * proxy for HTTPS, `x-forwarded-proto` names the scheme.
 *
 * @example Usage
 * ```ts
 * import { toResultsUrl } from "./batch_view.ts";
 *
 * const request = new Request("http://gateway.test/v1/messages/batches?limit=1");
 * if (toResultsUrl(request, "b") !== "http://gateway.test/v1/messages/batches/b/results") throw new Error("not it");
 * ```
 */
export function toResultsUrl({ url, headers }: Request, id: string): string {
  const { protocol, host, pathname } = new URL(url);
  const scheme = headers.get("x-forwarded-proto")?.trim().toLowerCase() === "https" ? "https:" : protocol;
  const base = /^.*\/batches(?=\/|$)/.exec(pathname)?.[0] ?? "/v1/messages/batches";
  return `${scheme}//${host}${base}/${id}/results`;
}

function toTime(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}
