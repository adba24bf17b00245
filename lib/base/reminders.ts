const START = "<system-reminder>";
const END = "</system-reminder>";

/**
 * Removes the reminders that Claude Code puts into a user's text for the model, in linear time.
 *
 * @example Usage
 * ```ts
 * import { withoutReminders } from "./reminders.ts";
 *
 * const text = withoutReminders("<system-reminder>It is noon.</system-reminder>\nHello");
 * if (text !== "Hello") throw new Error(text);
 * ```
 */
export function withoutReminders(text: string): string {
  let rest = "";
  let at = 0;
  for (let start = text.indexOf(START); start >= 0; start = text.indexOf(START, at)) {
    const end = text.indexOf(END, start);
    if (end < 0) break;
    rest += text.slice(at, start);
    at = end + END.length;
  }
  return (rest + text.slice(at)).trim();
}

/**
 * Splits a text at its first reminder. Everything from there on counts as the reminder: it may quote files, and a file
 * may hold the text that ends a reminder.
 */
export function splitAtReminder(text: string): { text: string; reminder: string } {
  const start = text.indexOf(START);
  return start < 0
    ? { text, reminder: "" }
    : { text: text.slice(0, start).trim(), reminder: text.slice(start) };
}
