import { ownerOf } from "../../access/owner.ts";
import { ApiError } from "../../base/errors.ts";
import { readLimit } from "../page_limit.ts";
import type { RoutedCall } from "../routing/routed_call.ts";
import { findFile, requireFiles } from "./find_file.ts";
import { toFileView } from "./file_view.ts";

/**
 * Answers `GET /v1/files`, newest first. The answer has what both kinds of clients page by: `next_page` for `page`, and
 * `has_more`, `first_id` and `last_id` for `after_id` and `before_id`.
 *
 * @throws {ApiError} `invalid_request_error` if `page` is not a value of `next_page`.
 */
export async function listFiles({ request, gateway, requestLog: { caller } }: RoutedCall): Promise<Response> {
  const { store } = requireFiles(gateway);
  await gateway.limits.admitMetadataRequest(caller);
  const { searchParams } = new URL(request.url);
  const ids = [...searchParams.getAll("ids[]"), ...searchParams.getAll("ids")];
  const { files, hasMore } = await store.list(await ownerOf(caller), {
    limit: readLimit(searchParams),
    ids: ids.length > 0 ? ids : undefined,
    before: readPage(searchParams),
    afterId: searchParams.get("after_id") ?? undefined,
    beforeId: searchParams.get("before_id") ?? undefined,
  }, gateway.clock.now());
  const last = files.at(-1);
  return Response.json({
    data: files.map(toFileView),
    has_more: hasMore,
    first_id: files[0]?.id ?? null,
    last_id: last?.id ?? null,
    next_page: hasMore && last !== undefined ? `page_${last.number}` : null,
  });
}

function readPage(query: URLSearchParams): number | undefined {
  const page = query.get("page");
  if (page === null) return undefined;
  const number = /^page_(\d{1,15})$/.exec(page)?.[1];
  if (number !== undefined) return Number(number);
  throw new ApiError("invalid_request_error", "page: Input should be the next_page of an earlier answer");
}

/** Answers `GET /v1/files/{id}`. */
export async function answerFile(call: RoutedCall): Promise<Response> {
  const { file } = await findFile(call);
  return Response.json(toFileView(file));
}

/** Answers `DELETE /v1/files/{id}`. */
export async function deleteFile(call: RoutedCall): Promise<Response> {
  const { store, contents, owner, file: { id } } = await findFile(call);
  await store.remove(owner, id);
  await contents.remove(id);
  return Response.json({ id, type: "file_deleted" });
}

/**
 * Answers `GET /v1/files/{id}/content`, as the client reads it. The headers keep browsers from showing or running what
 * somebody uploaded.
 */
export async function answerContent(call: RoutedCall): Promise<Response> {
  const { contents, file } = await findFile(call);
  const name = encodeURIComponent(file.filename.toWellFormed()).replace(/['()*]/g, escapeChar);
  return new Response(contents.stream(file.id, file.sizeBytes), {
    headers: {
      "content-type": file.mimeType,
      "content-length": String(file.sizeBytes),
      "content-disposition": `attachment; filename*=UTF-8''${name}`,
      "content-security-policy": "sandbox; default-src 'none'",
      "x-content-type-options": "nosniff",
    },
  });
}

/** Escapes a character that `encodeURIComponent()` leaves. Source: https://www.rfc-editor.org/rfc/rfc8187 */
function escapeChar(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase()}`;
}
