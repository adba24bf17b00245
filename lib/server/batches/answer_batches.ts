import { ownerOf } from "../../access/owner.ts";
import { ApiError } from "../../base/errors.ts";
import type { BatchStore } from "../../durable/batch_store.ts";
import { readLimit } from "../page_limit.ts";
import type { RoutedCall } from "../routing/routed_call.ts";
import { findBatch, requireBatches } from "./find_batch.ts";
import { toBatchView, toResultsUrl } from "./batch_view.ts";

/** Answers `GET /v1/messages/batches` with a page of the batches of the caller's key, newest first. */
export async function listBatches(
  { request, gateway, requestLog: { caller } }: RoutedCall,
): Promise<Response> {
  const { store, runner } = requireBatches(gateway);
  await gateway.limits.admitMetadataRequest(caller);
  const owner = await ownerOf(caller);
  runner.wake(owner, caller);
  const { searchParams } = new URL(request.url);
  const { batches, hasMore } = await store.list(owner, {
    limit: readLimit(searchParams),
    afterId: searchParams.get("after_id") ?? undefined,
    beforeId: searchParams.get("before_id") ?? undefined,
  });
  return Response.json({
    data: batches.map((batch) => toBatchView(batch, toResultsUrl(request, batch.id))),
    has_more: hasMore,
    first_id: batches[0]?.id ?? null,
    last_id: batches.at(-1)?.id ?? null,
  });
}

/** Answers `GET /v1/messages/batches/{id}`. */
export async function answerBatch(call: RoutedCall): Promise<Response> {
  const { batch } = await findBatch(call);
  return Response.json(toBatchView(batch, toResultsUrl(call.request, batch.id)));
}

/** Answers `POST /v1/messages/batches/{id}/cancel`. Requests that run end by themselves; the others do not start. */
export async function cancelBatch(call: RoutedCall): Promise<Response> {
  const { store, runner, batch, owner } = await findBatch(call);
  await store.cancel(batch.number, call.gateway.clock.now());
  runner.wake();
  return Response.json(
    toBatchView(await store.find(owner, batch.id) ?? batch, toResultsUrl(call.request, batch.id)),
  );
}

/**
 * Answers `DELETE /v1/messages/batches/{id}`.
 *
 * @throws {ApiError} `invalid_request_error` unless the batch has ended.
 */
export async function deleteBatch(call: RoutedCall): Promise<Response> {
  const { store, batch } = await findBatch(call);
  if (batch.status !== "ended") {
    throw new ApiError(
      "invalid_request_error",
      "Cannot delete the batch: it is in progress; cancel it first, and wait for its end",
    );
  }
  await store.remove(batch.number);
  return Response.json({ id: batch.id, type: "message_batch_deleted" });
}

/**
 * Answers `GET /v1/messages/batches/{id}/results`: a line of JSON for each request, in their order. The lines are read
 * as the client receives them.
 *
 * @throws {ApiError} `not_found_error` until the batch has ended, and after its results were removed.
 */
export async function answerResults(call: RoutedCall): Promise<Response> {
  const { store, batch } = await findBatch(call);
  if (batch.status !== "ended" || batch.archivedAt !== undefined) {
    const why = batch.status === "ended" ? "they are older than 29 days" : "the batch is in progress";
    throw new ApiError("not_found_error", `Cannot read the results of the batch: ${why}`);
  }
  const { processing: _none, ...counts } = batch.counts;
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const body = streamLines(store, { number: batch.number, total });
  return new Response(body, {
    headers: { "content-type": "application/x-jsonl", "x-content-type-options": "nosniff" },
  });
}

/** Size of a piece of the results, in characters, and the requests that are read at once if they are small. */
const PIECE_CHARS = 64 * 1024;
const MAX_READ = 100;

function streamLines(
  store: BatchStore,
  { number, total }: { number: number; total: number },
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let nth = -1;
  let count = 0;
  let limit = 1;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const rows = await store.nextResults(number, nth, limit);
      const lines = rows.map(({ customId, result }) =>
        `{"custom_id":${JSON.stringify(customId)},"result":${result}}\n`
      );
      nth = rows.at(-1)?.nth ?? nth;
      count += rows.length;
      const longest = Math.max(...lines.map(({ length }) => length));
      limit = Math.min(MAX_READ, Math.ceil(PIECE_CHARS / longest));
      if (lines.length > 0) return controller.enqueue(encoder.encode(lines.join("")));
      if (count === total) controller.close();
      // The batch was deleted meanwhile: an incomplete list must not look complete.
      else controller.error(new Error("Cannot read all results: the batch was removed"));
    },
  }, { highWaterMark: 0 });
}
