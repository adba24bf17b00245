import type { ToolResultBlock } from "../../anthropic/schema.ts";
import { fromBase64Url } from "../../base/encoding/base64url.ts";
import { findFence } from "../fence.ts";

/** Reasons in the notes that replace an image or a document. */
export const OMISSION_REASONS = {
  image: "this model does not accept images",
  uploaded: "uploaded files are not supported",
  source: "the type of its source is not supported",
  base64: "this host does not accept files",
  url: "this host does not accept URLs of files",
} as const;

/** Result of a tool call for which the client sent none. */
export const MISSING_RESULT_TEXT = "Error: no result was given for this tool call";

/** Returns the note that precedes the result of a call that is not in the conversation. */
export function orphanResultNote({ is_error, tool_use_id }: ToolResultBlock): string {
  const label = is_error ? "The error" : "The result";
  return `[${label} of a tool call that is not part of this conversation (${tool_use_id})]`;
}

/**
 * Returns the texts before and after the attachments of a result, which follow in another message. If the result is
 * fenced, the attachments are between its tags there too.
 */
export function attachmentTexts(
  callId: string,
  { content }: Pick<ToolResultBlock, "content">,
): { before: string; after: string | undefined } {
  const note = `${ATTACHMENTS_OF}${callId}:`;
  const fence = findFence(content);
  return { before: fence === undefined ? note : `${note}\n${fence.open}`, after: fence?.close };
}

/** True if a text is one of {@linkcode attachmentTexts}. */
export function isAttachmentText(text: string): boolean {
  return text.startsWith(ATTACHMENTS_OF) || /^<\/untrusted-[0-9a-f]+>$/.test(text);
}

const ATTACHMENTS_OF = "Attachments of the result of tool call ";

/** Returns the note in a result whose attachments follow in another message. */
export function hoistedNote(attachments: number): string {
  return `[${attachments} attachment(s) of this result follow in the next message]`;
}

/** Marks the text of a failed call as an error. OpenAI's APIs have no field for that. */
export function toResultText(text: string, { is_error }: ToolResultBlock): string {
  if (!is_error) return text;
  return text === "" ? "Error: the tool failed without a message" : `Error: ${text}`;
}

/** Decodes a text file. Returns undefined for other media types, or if the text is not valid base64 and UTF-8. */
export function decodeTextFile(mediaType: string, data: string): string | undefined {
  return /^text\//i.test(mediaType) ? fromBase64Url(data) : undefined;
}
