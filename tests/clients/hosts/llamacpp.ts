import { ChatRequest, faultOfChat, faultOfTemplate, lacksEdit, partTypes, writeChunks } from "./chat.ts";
import type { HostApi } from "./host.ts";

/**
 * llama.cpp with a strict chat template and without `mmproj`. A template fails with status 500.
 *
 * Sources: https://github.com/ggml-org/llama.cpp/issues/27367, `tools/server/server-common.cpp` of llama.cpp
 */
export const LLAMACPP: HostApi<ChatRequest> = {
  path: "/v1/chat/completions",
  models: { object: "list", data: [{ id: "qwen3.8-27b", meta: { n_ctx_train: 262_144 } }] },
  schema: ChatRequest,
  faultOf(request) {
    const template = faultOfTemplate(request) ?? faultOfChat(request);
    if (template !== undefined) return { status: 500, message: `Jinja Exception: ${template}` };
    const types = partTypes(request);
    if (types.includes("image_url")) return { status: 500, message: "image input is not supported" };
    const odd = types.find((type) => type !== "text");
    return odd === undefined
      ? lacksEdit(request)
      : { status: 400, message: `unsupported content[].type: ${odd}` };
  },
  toError: ({ status, message }) => ({
    error: { code: status, message, type: status === 500 ? "server_error" : "invalid_request_error" },
  }),
  write: (turn) => writeChunks(turn, { reasoning: "reasoning_content", usageApart: true }),
};
