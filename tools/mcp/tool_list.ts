import type { JsonObject } from "../call.ts";
import { McpError } from "../errors.ts";
import { isDeeperThan, isObject } from "./json.ts";
import { checkInputSchema } from "./schema_check.ts";

/** What a tool does, as its server says. Nothing checks it. */
export interface McpAnnotations {
  /** True if the tool changes nothing. */
  readOnlyHint?: boolean;
  /** False if the tool only adds to its environment. */
  destructiveHint?: boolean;
}

/** A tool of an MCP server. */
export interface McpTool {
  name: string;
  description: string | undefined;
  inputSchema: JsonObject & { type: "object" };
  annotations: McpAnnotations;
}

/** The tools of a server. */
export interface McpToolList {
  tools: McpTool[];
  /** Tools that cannot be offered to a model; `name` is at most 200 characters long. */
  rejected: { name: string; reason: string }[];
}

/** Limits of a tool list. Further pages and tools are not read; a tool with a larger schema is rejected. */
export const TOOL_LIST_LIMITS = {
  pages: 32,
  tools: 512,
  nameChars: 200,
  descriptionChars: 10_000,
  schemaChars: 100_000,
  /** Nesting of all parts of a schema, examples and defaults included. */
  schemaDepth: 150,
  /** Schemas and descriptions of all tools together. */
  totalChars: 1_000_000,
} as const;

/** Reads the pages of a tool list, within {@linkcode TOOL_LIST_LIMITS}. */
export class ToolListReader {
  readonly #server: string;
  readonly #tools = new Map<string, McpTool>();
  readonly #rejected: McpToolList["rejected"] = [];
  readonly #cursors = new Set<string>();
  #totalChars = 0;

  /** `server` is the name of the server, for error messages. */
  constructor(server: string) {
    this.#server = server;
  }

  /**
   * Adds a page, and returns the cursor of the next one; undefined if it is the last one to read.
   *
   * @throws {McpError} if the page is not a list of tools.
   */
  addPage({ tools, nextCursor }: JsonObject): string | undefined {
    if (!Array.isArray(tools)) {
      throw new McpError(`Cannot read the tools of MCP server "${this.#server}": its answer is not a list`);
    }
    for (const tool of tools) {
      if (this.#tools.size + this.#rejected.length >= TOOL_LIST_LIMITS.tools) {
        return this.#cut("tools", TOOL_LIST_LIMITS.tools);
      }
      this.#addTool(tool);
    }
    // A repeated cursor would never end.
    if (typeof nextCursor !== "string" || nextCursor === "" || this.#cursors.has(nextCursor)) {
      return undefined;
    }
    this.#cursors.add(nextCursor);
    return this.#cursors.size < TOOL_LIST_LIMITS.pages
      ? nextCursor
      : this.#cut("pages", TOOL_LIST_LIMITS.pages);
  }

  /** Returns the tools of all pages. Of two tools with the same name, the first one is kept. */
  end(): McpToolList {
    return { tools: [...this.#tools.values()], rejected: this.#rejected };
  }

  #cut(unit: string, limit: number): undefined {
    this.#rejected.push({ name: "*", reason: `only the first ${limit} ${unit} were read` });
  }

  #addTool(tool: unknown): void {
    const { name, description, inputSchema, annotations }: JsonObject = isObject(tool) ? tool : {};
    if (typeof name !== "string" || name === "") return this.#reject("", "it has no name");
    if (name.length > TOOL_LIST_LIMITS.nameChars) return this.#reject(name, "its name is too long");
    if (this.#tools.has(name)) return this.#reject(name, "another tool has the same name");
    const complaint = checkInputSchema(inputSchema);
    if (complaint !== undefined) return this.#reject(name, complaint);
    if (isDeeperThan(TOOL_LIST_LIMITS.schemaDepth, inputSchema)) {
      return this.#reject(name, "its input schema is nested too deeply");
    }
    const schemaChars = JSON.stringify(inputSchema).length;
    if (schemaChars > TOOL_LIST_LIMITS.schemaChars) {
      return this.#reject(name, "its input schema is too large");
    }
    const text = typeof description === "string"
      ? shorten(description, TOOL_LIST_LIMITS.descriptionChars)
      : undefined;
    this.#totalChars += schemaChars + (text?.length ?? 0);
    if (this.#totalChars > TOOL_LIST_LIMITS.totalChars) {
      return this.#reject(name, "the tool list is too large");
    }
    this.#tools.set(name, {
      name,
      description: text,
      inputSchema: { ...(isObject(inputSchema) && inputSchema), type: "object" },
      annotations: toAnnotations(annotations),
    });
  }

  #reject(name: string, reason: string): void {
    this.#rejected.push({ name: shorten(name, TOOL_LIST_LIMITS.nameChars), reason });
  }
}

/**
 * Reads a list of tools in the form of Anthropic's API, with `input_schema`, within {@linkcode TOOL_LIST_LIMITS}.
 *
 * @throws {McpError} if it is not a list.
 */
export function readToolList(server: string, tools: unknown): McpToolList {
  const reader = new ToolListReader(server);
  const renamed = Array.isArray(tools)
    ? tools.map((tool) => isObject(tool) ? { ...tool, inputSchema: tool.input_schema } : tool)
    : tools;
  reader.addPage({ tools: renamed });
  return reader.end();
}

function toAnnotations(annotations: unknown): McpAnnotations {
  const { readOnlyHint, destructiveHint }: JsonObject = isObject(annotations) ? annotations : {};
  return {
    ...(typeof readOnlyHint === "boolean" && { readOnlyHint }),
    ...(typeof destructiveHint === "boolean" && { destructiveHint }),
  };
}

function shorten(text: string, maxChars: number): string {
  return text.length > maxChars ? `${text.slice(0, maxChars - 1)}…` : text;
}
