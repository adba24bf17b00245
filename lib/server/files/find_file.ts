import { ownerOf } from "../../access/owner.ts";
import { ApiError } from "../../base/errors.ts";
import type { FileStore, StoredFile } from "../../durable/file_store.ts";
import type { FileServices, GatewayContext } from "../context.ts";
import type { RoutedCall } from "../routing/routed_call.ts";

/** Returns the files of the gateway. @throws {ApiError} `not_found_error` without a store. */
export function requireFiles({ files }: GatewayContext): FileServices {
  if (files !== undefined) return files;
  throw new ApiError(
    "not_found_error",
    "Cannot use files: the gateway has no DATA_DIR and no DATA_URL to keep them in",
  );
}

/**
 * Admits a request about a file, and finds the file of its path among those of the caller's key.
 *
 * @throws {ApiError} `not_found_error` if the key has no such file, or if it has expired.
 */
export async function findFile(
  { gateway, requestLog: { caller }, params: { id = "" } }: RoutedCall,
): Promise<FileServices & { file: StoredFile; owner: string }> {
  const services = requireFiles(gateway);
  await gateway.limits.admitMetadataRequest(caller);
  const owner = await ownerOf(caller);
  return {
    ...services,
    owner,
    file: await requireFile(services.store, { owner, id, now: gateway.clock.now() }),
  };
}

/** Returns a file of an owner. @throws {ApiError} `not_found_error` if there is none, or if it has expired. */
export async function requireFile(
  store: FileStore,
  { owner, id, now }: { owner: string; id: string; now: number },
): Promise<StoredFile> {
  const file = await store.find(owner, id);
  if (file === undefined) throw notFoundError(id);
  if (file.expiresAt === undefined || file.expiresAt > now) return file;
  throw new ApiError("not_found_error", `File has expired: ${id.slice(0, 100)}`, {
    details: { error_code: "file_expired" },
  });
}

/** Returns the error of a file that does not exist. */
export function notFoundError(id: string): ApiError {
  return new ApiError("not_found_error", `File not found: ${id.slice(0, 100)}`);
}
