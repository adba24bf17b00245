import type { MessagesRequest } from "../anthropic/schema.ts";
import { ApiError } from "../base/errors.ts";
import { hostFacts } from "../dialects/mod.ts";
import type { Route } from "../upstreams/upstream.ts";

/**
 * Rejects a request that continues a conversation stored on the server if the upstream stores none. The model would
 * receive only the last message.
 *
 * @throws {ApiError} `invalid_request_error` with the `error_code` that Anthropic's SDK matches.
 */
export function rejectThread({ thread }: MessagesRequest, { dialect, upstream }: Route): void {
  if (thread === undefined || thread === null || thread === false) return;
  if (dialect.name === "anthropic" && hostFacts(upstream.preset).keepsThreads) return;
  throw new ApiError(
    "invalid_request_error",
    `thread: Cannot store a conversation: upstream "${upstream.name}" has no threads. Send all messages in every ` +
      'request and omit "thread"; the tool runner of Anthropic\'s SDK does so when it is created with `thread: false`',
    { details: { error_code: "thread_unsupported_request" } },
  );
}
