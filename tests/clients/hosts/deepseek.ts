import { ChatRequest, faultOfChat, lacksEdit, partTypes, writeChunks } from "./chat.ts";
import type { HostApi } from "./host.ts";

/** Maximum `max_tokens`. */
const MAX_OUTPUT = 65_536;

/**
 * DeepSeek's own API while the model thinks.
 *
 * Sources: https://api-docs.deepseek.com/guides/thinking_mode, https://github.com/farion1231/cc-switch/issues/3663
 */
export const DEEPSEEK: HostApi<ChatRequest> = {
  path: "/v1/chat/completions",
  models: { object: "list", data: [{ id: "deepseek-v4", object: "model", owned_by: "deepseek" }] },
  schema: ChatRequest,
  faultOf(request) {
    const refuse = (message: string) => ({ status: 400, message });
    const odd = partTypes(request).find((type) => type !== "text");
    if (odd !== undefined) {
      return refuse(
        `Failed to deserialize the JSON body into the target type: unknown variant \`${odd}\`, expected \`text\``,
      );
    }
    const fault = faultOfChat(request);
    if (fault !== undefined) return refuse(fault);
    const { max_tokens, messages, response_format, tool_choice } = request;
    if (max_tokens > MAX_OUTPUT) return refuse(`the valid range of max_tokens is [1, ${MAX_OUTPUT}]`);
    if (response_format !== undefined) return refuse("This response_format type is unavailable now");
    if (tool_choice !== undefined && tool_choice !== "auto") {
      return refuse("Thinking mode does not support this tool_choice");
    }
    if (messages.some(({ tool_calls, reasoning_content }) => tool_calls && !reasoning_content)) {
      return refuse("The `reasoning_content` in the thinking mode must be passed back to the API.");
    }
    return lacksEdit(request);
  },
  toError: ({ message }) => ({
    error: { message, type: "invalid_request_error", param: null, code: "invalid_request_error" },
  }),
  write: (turn) => writeChunks(turn, { reasoning: "reasoning_content" }),
};
