import { isObject, type JsonObject } from "../../base/json.ts";
import { conversationOf, withConversation } from "./conversation.ts";

/** Joins the texts of every content to one text, for hosts without parts: of messages, results and system prompts. */
export function withPlainText(body: JsonObject): JsonObject {
  const messages = conversationOf(body);
  if (messages === undefined) return body;
  const { system } = body;
  const plain = withConversation(body, messages.map(toPlainMessage));
  return Array.isArray(system) ? { ...plain, system: toPlain(system) } : plain;
}

function toPlainMessage(message: JsonObject): JsonObject {
  return {
    ...message,
    ...(message.content !== undefined && { content: toPlain(message.content) }),
    ...(message.output !== undefined && { output: toPlain(message.output) }),
  };
}

function toPlain(content: unknown): unknown {
  if (!Array.isArray(content)) return content;
  if (content.length > 0 && content.every(isTextPart)) return content.map(({ text }) => text).join("\n\n");
  return content.map((part) =>
    isObject(part) && part.type === "tool_result" ? { ...part, content: toPlain(part.content) } : part
  );
}

const TEXT_TYPES = new Set<unknown>(["text", "input_text", "output_text"]);

function isTextPart(part: unknown): part is { text: string } {
  return isObject(part) && TEXT_TYPES.has(part.type) && typeof part.text === "string";
}
