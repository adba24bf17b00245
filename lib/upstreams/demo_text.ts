import { withoutReminders } from "../base/reminders.ts";
import { isAttachmentText } from "../dialects/request/notes.ts";

interface DemoMessage {
  role: string;
  content?: string | { text?: string | undefined }[] | null | undefined;
}

/**
 * Returns the last text of a user or a tool, without the reminders that Claude Code adds for the model. A message of
 * reminders only is passed over, and so are the texts around attachments of a tool's result.
 *
 * @example Usage
 * ```ts
 * import { findLastText } from "./demo_text.ts";
 *
 * const content = [{ text: "<system-reminder>The date is known.</system-reminder>" }, { text: "Hello" }];
 * if (findLastText([{ role: "user", content }]).text !== "Hello") throw new Error("not the user's text");
 * ```
 */
export function findLastText(messages: readonly DemoMessage[]): { role: string; text: string } {
  for (const { role, content } of messages.toReversed()) {
    if (role !== "user" && role !== "tool") continue;
    const texts = typeof content === "string" ? [content] : (content ?? []).map(({ text = "" }) => text);
    const text = texts.map(withoutReminders).findLast((one) => one !== "" && !isAttachmentText(one));
    if (text !== undefined) return { role, text };
  }
  return { role: "user", text: "" };
}
