import { ChatRequest, faultOfChat, faultOfTemplate, lacksEdit, partTypes, writeChunks } from "./chat.ts";
import type { HostApi } from "./host.ts";

/** Context window of the model. The `max_tokens` of Claude Code and its prompt together exceed it. */
const WINDOW = 40_960;
/** A low estimate of the prompt's tokens. */
const CHARS_PER_TOKEN = 6;

/**
 * vLLM with a text-only model, a strict chat template and a small window.
 *
 * Sources: https://github.com/QwenLM/Qwen3.8/issues/244, `vllm/entrypoints/openai/serving_engine.py`
 */
export const VLLM: HostApi<ChatRequest> = {
  path: "/v1/chat/completions",
  models: { object: "list", data: [{ id: "qwen3.8-27b", object: "model", max_model_len: WINDOW }] },
  schema: ChatRequest,
  faultOf(request) {
    const fault = faultOfTemplate(request) ?? faultOfChat(request);
    if (fault !== undefined) return { status: 400, message: fault };
    if (partTypes(request).includes("image_url")) {
      return { status: 400, message: "qwen3.8-27b is not a multimodal model" };
    }
    const input = Math.floor(JSON.stringify([request.messages, request.tools]).length / CHARS_PER_TOKEN);
    const { max_tokens } = request;
    if (input + max_tokens > WINDOW) {
      return {
        status: 400,
        message:
          `'max_tokens' or 'max_completion_tokens' is too large: ${max_tokens}. This model's maximum ` +
          `context length is ${WINDOW} tokens and your request has ${input} input tokens`,
      };
    }
    return lacksEdit(request);
  },
  toError: ({ status, message }) => ({
    error: { message, type: "BadRequestError", param: null, code: status },
  }),
  write: (turn) =>
    writeChunks(turn, { reasoning: "reasoning", fields: { prompt_token_ids: null }, usageApart: true }),
};
