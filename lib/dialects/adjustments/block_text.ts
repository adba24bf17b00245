import type { ContentBlock, TextBlock } from "../../anthropic/schema.ts";
import type { LossAction } from "../loss.ts";
import { OMISSION_REASONS } from "../request/notes.ts";
import { describeServerTool } from "../server_tool_text.ts";

/** Describes a block in words, for a host or model that does not accept its type. */
export function toTextBlock(block: ContentBlock): { text: TextBlock; action: LossAction } {
  const { text, action } = describe(block);
  const { cache_control } = block;
  return {
    text: { type: "text", text, ...(isCacheControl(cache_control) && { cache_control }) },
    action,
  };
}

function describe(block: ContentBlock): { text: string; action: LossAction } {
  switch (block.type) {
    case "image":
      return { text: `[Image omitted: ${OMISSION_REASONS.image}]`, action: "dropped" };
    case "document": {
      const { source, title, context } = block;
      const data = source.type === "text"
        ? source.data
        : source.type === "content" && typeof source.content === "string"
        ? source.content
        : undefined;
      const body = data ?? `[Document omitted: ${OMISSION_REASONS.base64}]`;
      return {
        text: [title, context, body].filter(Boolean).join("\n\n"),
        action: data === undefined ? "dropped" : "approximated",
      };
    }
    case "search_result": {
      const texts = block.content.map(({ text }) => text);
      return { text: [block.title, block.source, ...texts].join("\n"), action: "approximated" };
    }
    case "tool_reference":
      return { text: `Tool loaded: ${block.tool_name}`, action: "approximated" };
    default: {
      const described = describeServerTool(block);
      return described === undefined
        ? {
          text: `[Content of the type "${block.type}" omitted: this host does not accept it]`,
          action: "dropped",
        }
        : { text: described, action: "approximated" };
    }
  }
}

function isCacheControl(value: unknown): value is NonNullable<TextBlock["cache_control"]> {
  return typeof value === "object" && value !== null && "type" in value && value.type === "ephemeral";
}
