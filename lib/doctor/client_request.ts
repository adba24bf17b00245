import type { MessagesRequest } from "../anthropic/schema.ts";

/** Smallest PNG image and PDF document, in base64. */
const IMAGE =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const PDF = "JVBERi0xLjAKMSAwIG9iajw8Pj5lbmRvYmoKdHJhaWxlcjw8Pj4K";

/** Betas that Claude Code sends with each message. */
export const CLIENT_BETAS =
  "claude-code-20250219,interleaved-thinking-2025-05-14,context-management-2025-06-27";

/**
 * Returns a message with what Claude Code sends: cache breakpoints, tools, adaptive thinking with an effort, context
 * edits, metadata, images and documents, also in tool results.
 *
 * Source: requests of Claude Code 2.1, recorded.
 */
export function createClientRequest(model: string): MessagesRequest {
  const cache_control = { type: "ephemeral" };
  const input_schema = {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    type: "object" as const,
    properties: { file_path: { type: "string", description: "Absolute path" }, limit: { type: "number" } },
    required: ["file_path"],
    additionalProperties: false,
  };
  const image = { type: "image", source: { type: "base64", media_type: "image/png", data: IMAGE } };
  const document = { type: "document", source: { type: "base64", media_type: "application/pdf", data: PDF } };
  // The schema leaves blocks open: newer ones must reach the upstream.
  return {
    model,
    max_tokens: 32_000,
    stream: true,
    system: [{ type: "text", text: "You are an agent for software engineering.", cache_control }],
    tools: [{ name: "Read", description: "Reads a file", input_schema }],
    thinking: { type: "adaptive" },
    output_config: { effort: "medium" },
    context_management: { edits: [{ type: "clear_thinking_20251015", keep: "all" }] },
    metadata: { user_id: "user" },
    messages: [
      { role: "user", content: [{ type: "text", text: "Look at this image" }, image] },
      {
        role: "assistant",
        content: [{ type: "tool_use", id: "toolu_1", name: "Read", input: { file_path: "/a" } }],
      },
      {
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "toolu_1", content: [{ type: "text", text: "Text" }, image] },
          document,
          { type: "text", text: "And?", cache_control },
        ],
      },
    ],
  } as MessagesRequest;
}
