import type { StreamEvent } from "../anthropic/events.ts";
import { ApiError } from "../base/errors.ts";
import { prepend } from "../base/relay.ts";
import { StoreError } from "../base/store_error.ts";
import { readUntilContent } from "./hold.ts";

/** Result of an attempt: an answer with content, or the failure before it. */
export type FirstContent =
  | { answer: AsyncGenerator<StreamEvent[]>; failure?: undefined }
  | { answer?: undefined; failure: ApiError };

/**
 * Waits for the first content of an answer, or for its failure. After the first content, a retry is impossible: the
 * client receives the content.
 *
 * @throws the failure, if the request itself has ended (by its client or its deadline), or if it is not an `ApiError`
 * or is that of a store: another upstream would not avoid it.
 */
export async function firstContent(
  batches: AsyncGenerator<StreamEvent[]>,
  signal: AbortSignal,
): Promise<FirstContent> {
  try {
    return { answer: prepend([await readUntilContent(batches)], batches) };
  } catch (failure) {
    if (signal.aborted || !(failure instanceof ApiError) || failure instanceof StoreError) throw failure;
    return { failure };
  }
}

/** Returns the first retryable failure, so that clients retry, or else the first failure. */
export function preferRetryable(failures: readonly ApiError[]): ApiError | undefined {
  return failures.find(({ retryable }) => retryable) ?? failures[0];
}
