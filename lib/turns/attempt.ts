import type { StreamEvent } from "../anthropic/events.ts";
import { ApiError } from "../base/errors.ts";
import { prepend, readUntilContent } from "./hold.ts";

/** What came of an attempt: an answer that has really begun, or the failure that came before. */
export type FirstContent =
  | { answer: AsyncGenerator<StreamEvent[]>; failure?: undefined }
  | { answer?: undefined; failure: ApiError };

/**
 * Waits until an answer has really begun, or failed; after that nothing may be asked again, for the client has seen it.
 *
 * @throws what ended the request itself: the client that left, its deadline, or a bug.
 */
export async function firstContent(
  batches: AsyncGenerator<StreamEvent[]>,
  signal: AbortSignal,
): Promise<FirstContent> {
  try {
    return { answer: prepend(await readUntilContent(batches), batches) };
  } catch (failure) {
    if (signal.aborted || !(failure instanceof ApiError)) throw failure;
    return { failure };
  }
}

/** Of several failures the one to tell: the first that a repeat may help, so that clients repeat, or else the first. */
export function preferRetryable(failures: readonly ApiError[]): ApiError | undefined {
  return failures.find(({ retryable }) => retryable) ?? failures[0];
}
