/** A JSON object whose members are not known. */
export type JsonObject = { [key: string]: unknown };

/** What the operator turns on by one word of the setting `TOOLS`. */
export type ToolGroup = "files-read" | "files-write" | "shell" | "network";

/** A piece of what a tool gives, as a block of Anthropic's API. */
export type ToolContent =
  | { type: "text"; text: string }
  | { type: "image"; source: { type: "base64"; media_type: string; data: string } }
  | {
    type: "document";
    source: { type: "base64"; media_type: "application/pdf"; data: string };
    title?: string;
  };

/** A call that a model made. */
export interface ToolCall {
  id: string;
  name: string;
  input: unknown;
}

/** What came of a call. */
export interface ToolResult {
  content: ToolContent[];
  isError: boolean;
}
