import { StoreError } from "../../base/store_error.ts";

/**
 * Returns the error for a store in Redis or Valkey that has failed: with the reason that the server gives, or as
 * unreachable.
 *
 * @example Usage
 * ```ts
 * import { toStoreError } from "./redis_errors.ts";
 *
 * const cause = new Error("OOM command not allowed when used memory > 'maxmemory'.");
 * if (toStoreError("key store", { cause }).reason !== "its memory is full") throw new Error("another reason");
 * ```
 */
export function toStoreError(store: string, options: { task?: string; cause: unknown }): StoreError {
  const reason = describe(options.cause);
  if (reason === undefined) return StoreError.unreachable(store, options);
  return StoreError.failed(store, { reason, cause: options.cause });
}

/** Returns the reason that a server gives, also if it is that of an earlier call. */
function describe(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  return REASONS.find(([words]) => words.test(error.message))?.[1] ?? describe(error.cause);
}

/** Answers of a server that is reached. Those to scripts may begin with other words. */
const REASONS: readonly [words: RegExp, reason: string][] = [
  [/\bOOM command not allowed/, "its memory is full"],
  [/\bREADONLY You can't write/, "its server is a read-only replica"],
  [/\bMISCONF /, "its server cannot write to its disk"],
  [/\bNOPERM /, "permission to use its keys is denied"],
];
