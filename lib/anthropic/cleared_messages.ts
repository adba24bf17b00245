import type { MessagesRequest } from "./schema.ts";

/**
 * Empties the system messages with `clear_at: "next_user_message"` that a user message follows: the model no longer
 * sees them. The messages keep their positions. Returns the same request if there are none.
 *
 * Source: https://github.com/anthropics/anthropic-sdk-typescript, `BetaSystemMessageParam`
 *
 * @example Usage
 * ```ts
 * import { emptyClearedMessages } from "./cleared_messages.ts";
 *
 * const once = { role: "system" as const, content: "It is noon", clear_at: "next_user_message" };
 * const user = { role: "user" as const, content: "Hi" };
 * const { messages } = emptyClearedMessages({ model: "m", max_tokens: 8, messages: [user, once, user] });
 * if (messages[1]?.content !== "") throw new Error("the message is still visible");
 * ```
 */
export function emptyClearedMessages(request: MessagesRequest): MessagesRequest {
  const { messages } = request;
  const lastUser = messages.findLastIndex(({ role }) => role === "user");
  const isCleared = ({ role, clear_at }: MessagesRequest["messages"][number], at: number) =>
    role === "system" && clear_at === "next_user_message" && at < lastUser;
  if (!messages.some(isCleared)) return request;
  return {
    ...request,
    messages: messages.map((message, at) => isCleared(message, at) ? { ...message, content: "" } : message),
  };
}
