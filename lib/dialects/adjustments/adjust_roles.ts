import { isObject, type JsonObject } from "../../base/json.ts";
import { assistantMessage, conversationOf, isResponsesBody, withConversation } from "./conversation.ts";
import type { ReportedRequest } from "./reported_request.ts";

/** Text with which an assistant's message separates tool results from the user's next message. */
const BRIDGE_TEXT = "OK.";

/**
 * Sends system messages as the user's words, in their place: moved to the beginning, they would change the bytes with
 * which the prompt cache begins. System messages at the beginning become one, or the user's words if `every` is set,
 * and so does a system prompt in a separate field.
 */
export function withSystemAsUser(body: JsonObject, every: boolean): JsonObject {
  const messages = conversationOf(body);
  if (messages === undefined) return body;
  const length = messages.findIndex((message) => !isSystem(message));
  const [head, rest] = length < 0 ? [messages, []] : [messages.slice(0, length), messages.slice(length)];
  const later = rest.map((message) =>
    isSystem(message) ? { ...message, role: "user", content: toReminder(message.content) } : message
  );
  const first = head.reduce<JsonObject[]>((merged, message) => joinTo(merged, message, body), []);
  if (!every) {
    const same = first.length === head.length && later.every((message, at) => message === rest[at]);
    return same ? body : withConversation(body, [...first, ...placeResults(later)]);
  }
  const { system, instructions, ...others } = body;
  const prompt = system ?? instructions;
  const leading = prompt === undefined ? [] : [toUserMessage(body, prompt)];
  const [next, ...remaining] = [
    ...leading,
    ...first.map((message) => ({ ...message, role: "user" })),
    ...later,
  ];
  const isLed = leading.length + first.length > 0 && remaining[0]?.role === "user" && next !== undefined;
  const [second, ...last] = remaining;
  const joined = isLed && second !== undefined
    ? [...joinTo([next], second, body), ...last]
    : next === undefined
    ? []
    : [next, ...remaining];
  return withConversation(others, placeResults(joined));
}

function isSystem({ role }: JsonObject): boolean {
  return role === "system" || role === "developer";
}

function toUserMessage(body: JsonObject, content: unknown): JsonObject {
  return { ...(isResponsesBody(body) && { type: "message" }), role: "user", content };
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
 * Makes the roles of messages alternate: later system messages become the user's words, messages of the user that
 * follow each other become one, and an assistant's message separates tool results from the user's next words.
 */
export function withAlternateRoles(body: JsonObject, { request, loss }: ReportedRequest): JsonObject {
  const adjusted = withSystemAsUser(body, false);
  const messages = conversationOf(adjusted)?.flatMap(splitResults);
  if (messages === undefined) return body;
  let alternating: JsonObject[] = [];
  let bridged = false;
  for (const message of messages) {
    const last = alternating.at(-1);
    const isUser = message.role === "user";
    if (isUser && last !== undefined && isResult(last) && !isResult(message)) {
      alternating.push(assistantMessage(body, BRIDGE_TEXT));
      bridged = true;
    } else if (isUser && last?.role === "user") {
      alternating = joinTo(alternating, message, body);
      continue;
    }
    alternating.push(message);
  }
  if (bridged) reportBridges(request.messages, loss);
  return withConversation(adjusted, alternating);
}

/** True for the result of a tool, in any dialect. */
function isResult(message: JsonObject): boolean {
  return message.role === "tool" || message.type === "function_call_output" ||
    hasBlock(message, "tool_result");
}

/** Separates tool results in Anthropic's format from the other blocks of the user's message. */
function splitResults(message: JsonObject): JsonObject[] {
  if (!Array.isArray(message.content) || !hasBlock(message, "tool_result")) return [message];
  const isToolResult = (block: unknown) => isObject(block) && block.type === "tool_result";
  const rest = message.content.filter((block) => !isToolResult(block));
  if (rest.length === 0) return [message];
  return [
    { ...message, content: message.content.filter(isToolResult) },
    { ...message, content: rest },
  ];
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
function joinTo(messages: readonly JsonObject[], message: JsonObject, body: JsonObject): JsonObject[] {
  const last = messages.at(-1);
  if (last === undefined) return [message];
  return [...messages.slice(0, -1), { ...last, content: joinContents(last.content, message.content, body) }];
}

function joinContents(one: unknown, other: unknown, body: JsonObject): unknown {
  if (typeof one === "string" && typeof other === "string") return `${one}\n\n${other}`;
  const type = isResponsesBody(body) ? "input_text" : "text";
  const toParts = (content: unknown): unknown[] =>
    Array.isArray(content) ? content : [{ type, text: String(content ?? "") }];
  return [...toParts(one), ...toParts(other)];
}
