import type { StreamEvent } from "../anthropic/events.ts";
import type { MessagesRequest } from "../anthropic/schema.ts";
import { MessageWriter } from "../anthropic/writer.ts";
import type { MessageContext } from "./context.ts";
import type { Route } from "../upstreams/upstream.ts";

/** Returns the first events of a message without content: `message_start`, with the estimated input, and `ping`. */
export function startMessage(
  message: MessagesRequest,
  route: Route,
  { newId, inputCounter }: Pick<MessageContext, "newId" | "inputCounter">,
): StreamEvent[] {
  const usage = {
    input_tokens: inputCounter.estimate(message, route),
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    output_tokens: 0,
  };
  const writer = new MessageWriter({ id: newId("msg_"), model: message.model, usage });
  writer.start();
  return [...writer.take(), { type: "ping" }];
}
