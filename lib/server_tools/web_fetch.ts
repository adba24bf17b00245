import { CHARS_PER_TOKEN } from "../base/chars_per_token.ts";
import type { Page } from "../../tools/host/web.ts";
import type { Scene, Toolbox } from "../../tools/toolbox/toolbox.ts";
import type { ResponseBlock } from "../anthropic/events.ts";
import { type ContentBlock, type Message, parseBlock, type TypedTool } from "../anthropic/schema.ts";
import { asText, isObject, type JsonObject } from "../base/json.ts";
import { readDomains } from "./domains.ts";
import { type Ran, type ServerTool, type Told, WARNING } from "./server_tool.ts";
import { createUses, toErrorCode } from "./max_uses.ts";

/** The longest address, in characters. */
const LONGEST = 250;

/** Tells whether a tool is Anthropic's fetching of pages. */
export function isWebFetch({ type }: Pick<TypedTool, "type">): boolean {
  return /^web_fetch_\d{8}$/.test(type);
}

/** What a page is fetched with. */
export interface WebFetchOptions {
  toolbox: Toolbox;
  scene: Scene;
  /** The names of the gateway's own tools that the request has. */
  own(): readonly string[];
  /** Milliseconds since 1970. */
  now(): number;
}

/**
 * Gives Anthropic's fetching of pages: only of addresses that the user, a tool or an earlier page has named, so that a
 * model cannot carry a secret out in an address of its own making.
 *
 * Source: https://platform.claude.com/docs/en/agents-and-tools/tool-use/web-fetch-tool
 *
 * @throws {ApiError} `invalid_request_error` for lists of domains that cannot be.
 */
export function toWebFetch(
  tool: TypedTool,
  path: string,
  { toolbox, scene, own, now }: WebFetchOptions,
): ServerTool {
  const name = tool.name || "web_fetch";
  const domains = readDomains(tool, path);
  const uses = createUses(tool.max_uses);
  const isNamed = createMemory(() => toEchoes(own(), toolbox));
  const limit = typeof tool.max_content_tokens === "number"
    ? tool.max_content_tokens * CHARS_PER_TOKEN
    : Infinity;
  return {
    offer: { name, description: DESCRIPTION, input_schema: SCHEMA },
    path,
    deferred: false,
    kind: "server_tool_use",
    toUse: ({ id, input }) => ({ type: "server_tool_use", id, name, input }),
    async run({ id, input }, conversation): Promise<Ran> {
      const { url } = input;
      if (!uses.take()) return { block: toError(id, "max_uses_exceeded") };
      if (typeof url !== "string") return { block: toError(id, "invalid_tool_input") };
      if (!isNamed(url, conversation)) return { block: toError(id, "url_not_in_prior_context") };
      try {
        const call = { id, name: "WebFetch", input };
        const page = await toolbox.act(
          call,
          scene,
          ({ web }) => web.fetchPage(url, { ...domains, maxUrl: LONGEST, pdf: "bytes" }),
        );
        const content = toResult(page, { limit, retrievedAt: new Date(now()).toISOString() });
        return { block: toBlock(id, content), count: "web_fetch_requests" };
      } catch (error) {
        if (scene.signal.aborted) throw error;
        return { block: toError(id, toErrorCode(error)) };
      }
    },
    refuse: ({ id }) => ({ block: toError(id, "too_many_requests") }),
    retell(result): Told {
      const { content }: JsonObject = { ...result };
      if (!isObject(content) || !isObject(content.content)) {
        return {
          content: `Cannot fetch: ${isObject(content) ? asText(content.error_code) : "no result"}`,
          is_error: true,
        };
      }
      return { content: toWords(asText(content.url), content.content) };
    },
  };
}

function toResult(page: Page, { limit, retrievedAt }: { limit: number; retrievedAt: string }): JsonObject {
  const source = page.content.type === "text"
    ? { type: "text", media_type: "text/plain", data: page.content.text.slice(0, limit) }
    : { type: "base64", media_type: "application/pdf", data: page.content.data };
  const content = { type: "document", source, title: page.title ?? null, citations: { enabled: false } };
  return { type: "web_fetch_result", url: page.url, content, retrieved_at: retrievedAt };
}

function toBlock(id: string, content: unknown): ResponseBlock {
  return { type: "web_fetch_tool_result", tool_use_id: id, content };
}

function toError(id: string, error_code: string): ResponseBlock {
  return toBlock(id, { type: "web_fetch_tool_result_error", error_code });
}

/**
 * Tells whether an address stands in what the user said, or in what came of the web or of a tool of the client's. What
 * came of the gateway's other tools does not count: they repeat what the model has said to them. A conversation is
 * written out once, for all calls of a turn.
 */
function createMemory(
  toEchoes: () => ReadonlySet<unknown>,
): (url: string, conversation: readonly Message[]) => boolean {
  let of: readonly Message[] = [];
  let written: readonly string[] = [];
  return (url, conversation) => {
    if (of !== conversation) written = writeOut(conversation, toEchoes());
    of = conversation;
    const wanted = JSON.stringify(url).slice(1, -1);
    return written.some((words) => words.includes(wanted));
  };
}

function writeOut(conversation: readonly Message[], echoes: ReadonlySet<unknown>): string[] {
  const all = conversation.flatMap(({ content }) => typeof content === "string" ? [] : content);
  const echoed = new Set(
    all.flatMap(({ type, name, id }: JsonObject) => type === "tool_use" && echoes.has(name) ? [id] : []),
  );
  return conversation.filter(({ role }) => role === "user").flatMap(({ content }) =>
    typeof content === "string"
      ? [JSON.stringify(content)]
      : content.filter((block) => !echoed.has(answered(block))).map((block) => JSON.stringify(block))
  );
}

function answered({ tool_use_id }: JsonObject): unknown {
  return tool_use_id;
}

/** The tools of the gateway that do not go to the web. */
function toEchoes(own: readonly string[], { tools }: Toolbox): ReadonlySet<unknown> {
  const offline = tools.filter(({ name, group }) => group !== "network" && own.includes(name));
  return new Set(offline.map(({ name }) => name));
}

/** A page's text with its address, and a warning; of a file, the file itself. */
function toWords(url: string, document: JsonObject): string | ContentBlock[] {
  const { source, title }: JsonObject = document;
  const head = [WARNING, url, ...(typeof title === "string" ? [title] : [])].join("\n");
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
