import type { MessagesRequest } from "../anthropic/schema.ts";
import { ApiError } from "../base/errors.ts";
import { hostFacts } from "../dialects/mod.ts";
import type { Route } from "../upstreams/upstream.ts";

/**
 * Refuses a request that continues a conversation on the server where the upstream keeps none: without what was said
 * before, the model would answer the last words alone.
 *
 * @throws {ApiError} `invalid_request_error` with the `error_code` by which Anthropic's SDK knows it.
 */
export function rejectThread({ thread }: MessagesRequest, { dialect, upstream }: Route): void {
  if (thread === undefined || thread === null || thread === false) return;
  if (dialect.name === "anthropic" && hostFacts(upstream.preset).keepsThreads) return;
  throw new ApiError(
    "invalid_request_error",
    `thread: Cannot keep a conversation: upstream "${upstream.name}" has no threads. Send all messages in every ` +
      'request and leave "thread" out; the tool runner of Anthropic\'s SDK does so when it is created with `thread: false`',
    { details: { error_code: "thread_unsupported_request" } },
  );
}
