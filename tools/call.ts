/** A JSON object with unknown members. */
export type JsonObject = { [key: string]: unknown };

/** A group of tools, enabled by its name in the setting `TOOLS`. */
export type ToolGroup = "files-read" | "files-write" | "shell" | "network";

/** A content block of a tool's result, in the format of Anthropic's API. */
export type ToolContent =
  | { type: "text"; text: string }
  | { type: "image"; source: { type: "base64"; media_type: string; data: string } }
  | {
    type: "document";
    source: { type: "base64"; media_type: "application/pdf"; data: string };
    title?: string;
  };

/** A tool call made by a model. */
export interface ToolCall {
  id: string;
  name: string;
  /** Name of the MCP server that has the tool; undefined for a tool of the gateway. */
  server?: string | undefined;
  input: unknown;
}

/** The result of a tool call. */
export interface ToolResult {
  content: ToolContent[];
  isError: boolean;
}
