import { ApiError } from "../base/errors.ts";
import type { DataStore } from "./data_store.ts";
import type { Queries } from "./database.ts";

/** Bytes that the owners of batches and files may keep. */
export interface DiskUsage {
  /** Returns what the quota of an owner leaves now. */
  left(owner: string): Promise<QuotaLeft>;
  /**
   * Checks in a transaction that the quota of an owner leaves the bytes that the transaction then writes. Other
   * transactions of the owner wait for its end, so that together they do not exceed the quota.
   *
   * @throws {ApiError} as {@linkcode QuotaLeft.check} does.
   */
  take(queries: Queries, owner: string, bytes: number): Promise<void>;
}

/** What the quota of an owner leaves. */
export interface QuotaLeft {
  /** @throws {ApiError} `invalid_request_error` (`storage_quota_exceeded`) if more bytes are used than are left. */
  check(bytes: number): void;
}

/** Creates the measure of `DATA_QUOTA`, in MiB for each owner. */
export function createDiskUsage(
  { database }: Pick<DataStore, "database">,
  { quotaMiB }: { quotaMiB: number },
): DiskUsage {
  async function readLeft(queries: Queries, owner: string): Promise<QuotaLeft> {
    const used = Number((await queries.get(USED, owner))?.bytes ?? 0);
    const left = quotaMiB * 1024 * 1024 - used;
    return {
      check(bytes) {
        if (bytes <= left) return;
        throw new ApiError(
          "invalid_request_error",
          `Cannot keep more: batches and files of this key may have ${quotaMiB} MiB; delete some of them`,
          { details: { error_code: "storage_quota_exceeded" } },
        );
      },
    };
  }

  return {
    left: (owner) => readLeft(database, owner),
    async take(queries, owner, bytes) {
      await database.lock(queries, `quota of ${owner}`);
      (await readLeft(queries, owner)).check(bytes);
    },
  };
}

const USED = `SELECT
  (SELECT coalesce(sum(bytes), 0) FROM batches WHERE owner = ?1 AND status <> 'removed') +
  (SELECT coalesce(sum(bytes), 0) FROM files WHERE owner = ?1) AS bytes`;
