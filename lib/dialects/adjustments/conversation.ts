import { isObject, type JsonObject } from "../../base/json.ts";

/** True for a body of the Responses API, whose conversation is `input`. */
export function isResponsesBody({ input }: JsonObject): boolean {
  return input !== undefined;
}

/** Returns the conversation of a body in any dialect: its messages or items; `undefined` if it has none. */
export function conversationOf({ messages, input }: JsonObject): JsonObject[] | undefined {
  const items = messages ?? input;
  return Array.isArray(items) && items.every(isObject) ? items : undefined;
}

/** Returns a body with another conversation. */
export function withConversation(body: JsonObject, items: readonly JsonObject[]): JsonObject {
  return isResponsesBody(body) ? { ...body, input: items } : { ...body, messages: items };
}

/** Returns a message of the assistant with a text, in the format of a body. */
export function assistantMessage(body: JsonObject, text: string): JsonObject {
  return isResponsesBody(body)
    ? { type: "message", role: "assistant", content: [{ type: "output_text", text, annotations: [] }] }
    : { role: "assistant", content: text };
}
