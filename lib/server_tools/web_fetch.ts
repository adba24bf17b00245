import { CHARS_PER_TOKEN } from "../base/chars_per_token.ts";
import type { Page } from "../../tools/host/web.ts";
import type { ToolContext } from "../../tools/toolbox/call_runner.ts";
import type { Toolbox } from "../../tools/toolbox/toolbox.ts";
import type { ResponseBlock } from "../anthropic/events.ts";
import { type ContentBlock, type Message, parseBlock, type TypedTool } from "../anthropic/schema.ts";
import { asText, isObject, type JsonObject } from "../base/json.ts";
import { readDomains } from "./domains.ts";
import type { ModelResult, ServerTool, ToolRun } from "./server_tool.ts";
import { createUseCounter, toErrorCode } from "./max_uses.ts";

/** Maximum length of a URL that the model may fetch. */
const MAX_URL_CHARS = 250;

/** True if a tool is Anthropic's web fetch. */
export function isWebFetch({ type }: Pick<TypedTool, "type">): boolean {
  return /^web_fetch_\d{8}$/.test(type);
}

/** Options of {@linkcode toWebFetch}. */
export interface WebFetchOptions {
  toolbox: Toolbox;
  toolContext: ToolContext;
  /** Names of the gateway's own tools in the request. */
  workspaceToolNames(): readonly string[];
  /** Names of the tools of MCP servers, as the model uses them. */
  mcpToolNames(): readonly string[];
  /** Milliseconds since 1970. */
  now(): number;
}

/**
 * Creates the gateway's web fetch tool. It fetches only URLs that are in a user message, a tool result or an earlier
 * page. A model therefore cannot leak a secret in a URL that it composes.
 *
 * Source: https://platform.claude.com/docs/en/agents-and-tools/tool-use/web-fetch-tool
 *
 * @throws {ApiError} `invalid_request_error` for invalid domain lists.
 */
export function toWebFetch(
  tool: TypedTool,
  path: string,
  { toolbox, toolContext, workspaceToolNames, mcpToolNames, now }: WebFetchOptions,
): ServerTool {
  const name = tool.name || "web_fetch";
  const domains = readDomains(tool, path);
  const uses = createUseCounter(tool.max_uses);
  const isUrlInContext = createUrlCheck(() =>
    new Set([...offlineToolNames(workspaceToolNames(), toolbox), ...mcpToolNames()])
  );
  const limit = typeof tool.max_content_tokens === "number"
    ? tool.max_content_tokens * CHARS_PER_TOKEN
    : Infinity;
  return {
    definition: { name, description: DESCRIPTION, input_schema: SCHEMA },
    path,
    deferred: false,
    kind: "server_tool_use",
    toCallBlock: ({ id, input }) => ({ type: "server_tool_use", id, name, input }),
    async run({ id, input }, conversation): Promise<ToolRun> {
      const { url } = input;
      if (!uses.take()) return { block: toErrorBlock(id, "max_uses_exceeded") };
      if (typeof url !== "string") return { block: toErrorBlock(id, "invalid_tool_input") };
      if (!isUrlInContext(url, conversation)) return { block: toErrorBlock(id, "url_not_in_prior_context") };
      try {
        const call = { id, name: "WebFetch", input };
        const page = await toolbox.runWithHost(
          call,
          toolContext,
          ({ web }) => web.fetchPage(url, { ...domains, maxUrlChars: MAX_URL_CHARS, pdf: "bytes" }),
        );
        const content = toFetchResult(page, { limit, retrievedAt: new Date(now()).toISOString() });
        return { block: toResultBlock(id, content), count: "web_fetch_requests" };
      } catch (error) {
        if (toolContext.signal.aborted) throw error;
        return { block: toErrorBlock(id, toErrorCode(error)) };
      }
    },
    tooManyCalls: ({ id }) => ({ block: toErrorBlock(id, "too_many_requests") }),
    toModelResult(result): ModelResult {
      const { content }: JsonObject = { ...result };
      if (!isObject(content) || !isObject(content.content)) {
        return {
          content: `Cannot fetch: ${isObject(content) ? asText(content.error_code) : "no result"}`,
          is_error: true,
        };
      }
      return { content: toModelContent(asText(content.url), content.content) };
    },
  };
}

function toFetchResult(
  page: Page,
  { limit, retrievedAt }: { limit: number; retrievedAt: string },
): JsonObject {
  const source = page.content.type === "text"
    ? { type: "text", media_type: "text/plain", data: page.content.text.slice(0, limit) }
    : { type: "base64", media_type: "application/pdf", data: page.content.data };
  const content = { type: "document", source, title: page.title ?? null, citations: { enabled: false } };
  return { type: "web_fetch_result", url: page.url, content, retrieved_at: retrievedAt };
}

function toResultBlock(id: string, content: unknown): ResponseBlock {
  return { type: "web_fetch_tool_result", tool_use_id: id, content };
}

function toErrorBlock(id: string, error_code: string): ResponseBlock {
  return toResultBlock(id, { type: "web_fetch_tool_result_error", error_code });
}

/**
 * Creates a check whether a URL is in the user's text, or in a result of a web tool or of a client tool. Results of the
 * gateway's other tools and of MCP servers do not count, because they repeat input of the model. A conversation is
 * serialized once for all calls of a turn.
 */
function createUrlCheck(
  getOfflineTools: () => ReadonlySet<unknown>,
): (url: string, conversation: readonly Message[]) => boolean {
  let lastConversation: readonly Message[] = [];
  let texts: readonly string[] = [];
  return (url, conversation) => {
    if (lastConversation !== conversation) texts = toTexts(conversation, getOfflineTools());
    lastConversation = conversation;
    const needle = JSON.stringify(url).slice(1, -1);
    return texts.some((text) => text.includes(needle));
  };
}

function toTexts(conversation: readonly Message[], offlineTools: ReadonlySet<unknown>): string[] {
  const blocks = conversation.flatMap(({ content }) => typeof content === "string" ? [] : content);
  const offlineCallIds = new Set(
    blocks.flatMap(({ type, name, id }: JsonObject) =>
      type === "tool_use" && offlineTools.has(name) ? [id] : []
    ),
  );
  return conversation.filter(({ role }) => role === "user").flatMap(({ content }) =>
    typeof content === "string"
      ? [JSON.stringify(content)]
      : content.filter((block) => !offlineCallIds.has(toolUseId(block))).map((block) => JSON.stringify(block))
  );
}

function toolUseId({ tool_use_id }: JsonObject): unknown {
  return tool_use_id;
}

/** Returns the names of gateway tools outside the group `network`. */
function offlineToolNames(workspaceToolNames: readonly string[], { tools }: Toolbox): string[] {
  const offline = tools.filter(({ name, group }) => group !== "network" && workspaceToolNames.includes(name));
  return offline.map(({ name }) => name);
}

/** Returns a page for the model: URL and title, then the text or the PDF. */
function toModelContent(url: string, document: JsonObject): string | ContentBlock[] {
  const { source, title }: JsonObject = document;
  const head = [url, ...(typeof title === "string" ? [title] : [])].join("\n");
  if (isObject(source) && source.type === "text") return `${head}\n\n${asText(source.data)}`;
  return [{ type: "text", text: head }, parseBlock({ ...document, type: "document" })];
}

const DESCRIPTION =
  "Fetches a page by its address and gives its text. The address has to be one that the user, a tool or " +
  "an earlier page has named.";
const SCHEMA = {
  type: "object" as const,
  properties: { url: { type: "string", description: "The whole address, with https://" } },
  required: ["url"],
};
