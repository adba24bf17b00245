import { MessageWriter } from "../anthropic/writer.ts";
import type { TurnContext } from "./dialect.ts";

/** Creates the writer of an answer whose upstream reports no usage at its start: it begins with the estimate. */
export function createAnswerWriter(
  { newId, alias, inputTokens }: Pick<TurnContext, "newId" | "alias" | "inputTokens">,
): MessageWriter {
  const usage = {
    input_tokens: inputTokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    output_tokens: 0,
  };
  return new MessageWriter({ id: newId("msg_"), model: alias, usage });
}
