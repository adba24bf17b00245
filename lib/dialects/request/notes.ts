import type { ToolResultBlock } from "../../anthropic/schema.ts";
import { fromBase64Url } from "../../base/base64url.ts";

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

/** Returns the note that precedes the attachments of a result, which follow in another message. */
export function attachmentsNote(callId: string): string {
  return `Attachments of the result of tool call ${callId}:`;
}

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
