import type { MessageDelta } from "../../anthropic/events.ts";
import type { RequestRecord } from "../../observability/request_record.ts";

/** Fields of the log record that become known while a request is answered. */
export type RequestFields = Partial<
  Omit<RequestRecord, "requestId" | "client" | "method" | "path" | "outcome" | "status" | "milliseconds">
>;

/** Returns the fields of the event that ends a message: its stop reason and usage. */
export function toDeltaFields({ delta, usage }: MessageDelta): RequestFields {
  return {
    stopReason: delta.stop_reason ?? undefined,
    inputTokens: usage.input_tokens,
    outputTokens: usage.output_tokens,
    cachedTokens: usage.cache_read_input_tokens ?? undefined,
  };
}
