import { isObject, type JsonObject } from "../../base/json.ts";
import type { ReportedRequest } from "./reported_request.ts";

/** Text with which an assistant's message separates tool results from the user's next message. */
const BRIDGE_TEXT = "OK.";

/**
 * Sends system messages as the user's words, in their place: moved to the beginning, they would change the bytes with
 * which the prompt cache begins. System messages at the beginning become one, or the user's words if `every` is set.
 */
export function withSystemAsUser(body: JsonObject, every: boolean): JsonObject {
  const messages = messagesOf(body);
  if (messages === undefined) return body;
  const length = messages.findIndex(({ role }) => role !== "system");
  const [head, rest] = length < 0 ? [messages, []] : [messages.slice(0, length), messages.slice(length)];
  const later = rest.map((message) =>
    message.role === "system" ? { ...message, role: "user", content: toReminder(message.content) } : message
  );
  const first = head.reduce<JsonObject[]>((merged, message) => joinTo(merged, message), []);
  if (!every) {
    const same = first.length === head.length && later.every((message, at) => message === rest[at]);
    return same ? body : { ...body, messages: [...first, ...placeResults(later)] };
  }
  const [next, ...others] = [...first.map((message) => ({ ...message, role: "user" })), ...later];
  const [second, ...remaining] = others;
  const joined = first.length > 0 && second?.role === "user" && next !== undefined
    ? [...joinTo([next], second), ...remaining]
    : next === undefined
    ? []
    : [next, ...others];
  return { ...body, messages: placeResults(joined) };
}

/** Wraps a system message in the tags that Claude Code uses for its own remarks in the user's messages. */
function toReminder(content: unknown): unknown {
  const wrap = (text: unknown) => `<system-reminder>\n${String(text)}\n</system-reminder>`;
  if (!Array.isArray(content)) return wrap(content ?? "");
  return content.map((part) =>
    isObject(part) && typeof part.text === "string" ? { ...part, text: wrap(part.text) } : part
  );
}

/** Moves messages of the user from between a call and its result behind the result, in Anthropic's format. */
function placeResults(messages: JsonObject[]): JsonObject[] {
  const placed = [...messages];
  for (let at = 1; at < placed.length - 1; at++) {
    const [before, here, after] = [placed[at - 1], placed[at], placed[at + 1]];
    if (!hasBlock(before, "tool_use") || here?.role !== "user" || hasBlock(here, "tool_result")) continue;
    if (after !== undefined && hasBlock(after, "tool_result")) {
      placed[at] = after;
      placed[at + 1] = here;
    }
  }
  return placed;
}

function hasBlock(message: JsonObject | undefined, type: string): boolean {
  return Array.isArray(message?.content) &&
    message.content.some((block) => isObject(block) && block.type === type);
}

/**
 * Makes the roles of chat messages alternate: later system messages become the user's words, messages of the user that follow each other become one, and an
 * assistant's message separates tool results from the user's next message.
 */
export function withAlternateRoles(body: JsonObject, { request, loss }: ReportedRequest): JsonObject {
  const messages = messagesOf(withSystemAsUser(body, false));
  if (messages === undefined) return body;
  let alternating: JsonObject[] = [];
  let bridged = false;
  for (const message of messages) {
    const last = alternating.at(-1);
    if (message.role === "user" && last?.role === "user") {
      alternating = joinTo(alternating, message);
      continue;
    }
    if (message.role === "user" && last?.role === "tool") {
      alternating.push({ role: "assistant", content: BRIDGE_TEXT });
      bridged = true;
    }
    alternating.push(message);
  }
  if (bridged) reportBridges(request.messages, loss);
  return { ...body, messages: alternating };
}

/** Reports the messages in which the user's words follow tool results. */
function reportBridges(
  messages: ReportedRequest["request"]["messages"],
  loss: ReportedRequest["loss"],
): void {
  messages.forEach(({ role, content }, at) => {
    if (role === "assistant" || typeof content === "string") return;
    const isMixed = content.some(({ type }) => type === "tool_result") &&
      content.some(({ type }) => type !== "tool_result");
    if (isMixed) loss.add(`messages.${at}`, "approximated");
  });
}

/** Appends a message, or its content to the last one. */
function joinTo(messages: readonly JsonObject[], message: JsonObject): JsonObject[] {
  const last = messages.at(-1);
  if (last === undefined) return [message];
  return [...messages.slice(0, -1), { ...last, content: joinContents(last.content, message.content) }];
}

function joinContents(one: unknown, other: unknown): unknown {
  if (typeof one === "string" && typeof other === "string") return `${one}\n\n${other}`;
  return [...toParts(one), ...toParts(other)];
}

function toParts(content: unknown): unknown[] {
  return Array.isArray(content) ? content : [{ type: "text", text: String(content ?? "") }];
}

/** Joins the texts of every content to one text, for hosts without parts. */
export function withPlainText(body: JsonObject): JsonObject {
  const messages = messagesOf(body);
  if (messages === undefined) return body;
  const changed = messages.map((message) => {
    if (!Array.isArray(message.content) || !message.content.every(isTextPart)) return message;
    return { ...message, content: message.content.map(({ text }) => text).join("\n\n") };
  });
  return { ...body, messages: changed };
}

function isTextPart(part: unknown): part is { text: string } {
  return isObject(part) && part.type === "text" && typeof part.text === "string";
}

function messagesOf({ messages }: JsonObject): JsonObject[] | undefined {
  return Array.isArray(messages) && messages.every(isObject) ? messages : undefined;
}
