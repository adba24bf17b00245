import type {
  Content,
  ContentBlock,
  MessagesRequest,
  Tool,
  ToolResultBlock,
} from "../../anthropic/schema.ts";
import type { LossReport } from "../loss.ts";
import { describeTool } from "../offered_tools/describe_tool.ts";
import { offerReported } from "../offered_tools/offer_tools.ts";
import { decodeTextFile } from "../request/notes.ts";
import { describeServerTool } from "../server_tool_text.ts";
import { toUpstreamToolId } from "../tool_id.ts";

/**
 * Converts the system prompt and the tools of a request for a host that imitates Anthropic's API.
 *
 * Such a host has the blocks and tools of the API's first version, and rejects what it does not know, in every turn to
 * come. Typed tools become tools with a schema, as for hosts of chat completions. What has no counterpart is left out.
 * All of it is reported.
 */
export function toCompatibleRequest(request: MessagesRequest, loss: LossReport): MessagesRequest {
  const { system } = request;
  return {
    ...request,
    ...(system && { system: toContent(system, "system", loss) }),
    ...toTools(request, loss),
  };
}

function toTools(request: MessagesRequest, loss: LossReport): Partial<MessagesRequest> {
  if (!request.tools) return {};
  const tools = offerReported(request, loss).map(({ tool, path }): Tool => {
    if (tool.strict) loss.add(`${path}.strict`, "dropped");
    const { name, input_schema, cache_control } = tool;
    const description = describeTool(tool, path, loss);
    return {
      name,
      ...(description && { description }),
      input_schema,
      ...(cache_control && { cache_control }),
    };
  });
  const choice = request.tool_choice;
  const isOffered = choice?.type !== "tool" || tools.some(({ name }) => name === choice.name);
  if (choice && (tools.length === 0 || !isOffered)) {
    loss.add("tool_choice", "dropped");
    return { tools: tools.length === 0 ? undefined : tools, tool_choice: undefined };
  }
  return { tools: tools.length === 0 ? undefined : tools };
}

/**
 * Converts a block for such a host: newer blocks become text, or are left out.
 *
 * @example Usage
 * ```ts
 * import { LossReport } from "../loss.ts";
 * import { toCompatibleBlocks } from "./compatible.ts";
 *
 * const loss = new LossReport();
 * const [block] = toCompatibleBlocks({ type: "tool_reference", tool_name: "Read" }, "messages.0.content.0", loss);
 * if (block?.type !== "text" || block.text !== "Tool loaded: Read") throw new Error(block?.type);
 * ```
 */
export function toCompatibleBlocks(block: ContentBlock, path: string, loss: LossReport): ContentBlock[] {
  const asText = (text: string): ContentBlock[] => {
    loss.add(path, "approximated");
    const cacheControl = "cache_control" in block ? { cache_control: block.cache_control } : {};
    return [{ type: "text", text, ...cacheControl } as ContentBlock];
  };
  switch (block.type) {
    case "text": {
      const { citations, ...rest } = block;
      if (citations === undefined) return [block];
      if (Array.isArray(citations) && citations.length > 0) loss.add(`${path}.citations`, "dropped");
      return [rest];
    }
    case "tool_use":
      return [{ ...block, id: toUpstreamToolId(block.id) }];
    case "tool_result":
      return [toResult(block, path, loss)];
    case "tool_reference":
      return asText(`Tool loaded: ${block.tool_name}`);
    case "search_result":
      return asText([block.title, block.source, ...block.content.map(({ text }) => text)].join("\n"));
    case "document": {
      const { source, title, context } = block;
      const text = source.type === "text"
        ? source.data
        : source.type === "base64"
        ? decodeTextFile(source.media_type, source.data)
        : undefined;
      return text === undefined ? [block] : asText([title, context, text].filter(Boolean).join("\n\n"));
    }
    case "image":
    case "thinking":
    case "redacted_thinking":
      return [block];
    default: {
      const description = describeServerTool(block);
      if (description !== undefined) return asText(description);
      loss.add(path, "dropped");
      return [];
    }
  }
}

function toContent(content: Content, path: string, loss: LossReport): Content {
  if (typeof content === "string") return content;
  return content.flatMap((block, at) => toCompatibleBlocks(block, `${path}.${at}`, loss));
}

function toResult(block: ToolResultBlock, path: string, loss: LossReport): ToolResultBlock {
  const tool_use_id = toUpstreamToolId(block.tool_use_id);
  // Anthropic's API accepts a result without content.
  return { ...block, tool_use_id, content: toContent(block.content ?? "", `${path}.content`, loss) };
}
