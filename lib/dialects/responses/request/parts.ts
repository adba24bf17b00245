import type { ContentBlock } from "../../../anthropic/schema.ts";
import type { JsonObject } from "../../../base/json.ts";
import type { LossReport } from "../../loss.ts";
import type { LocatedBlock } from "../../request/located_block.ts";
import type { InputPart, ResponsesContext } from "../responses.ts";
import { cacheMark, markLast, reportUnmarked } from "./cache.ts";
import { toDocumentParts, toImagePart } from "./documents.ts";

/** Converts blocks to the parts of a message. Blocks without a counterpart are omitted and reported. */
export function toParts(located: readonly LocatedBlock[], context: ResponsesContext): InputPart[] {
  return located.flatMap(({ block, path }): InputPart[] => {
    const parts = toBlockParts(block, path, context);
    if (parts.length === 0) {
      if (!isBlankText(block)) context.loss.add(path, "dropped");
      reportUnmarked(block, path, context);
      return [];
    }
    return markLast(parts, cacheMark(block, path, context));
  });
}

/** Reports the citations of a text as dropped. Requests cannot carry them. */
export function reportCitations({ citations }: JsonObject, path: string, loss: LossReport): void {
  if (Array.isArray(citations) && citations.length > 0) loss.add(`${path}.citations`, "dropped");
}

/** True for a text of whitespace only. It says nothing, and hosts reject messages without text. */
export function isBlankText(block: ContentBlock): boolean {
  return block.type === "text" && block.text.trim() === "";
}

function toBlockParts(block: ContentBlock, path: string, context: ResponsesContext): InputPart[] {
  const { loss, names } = context;
  switch (block.type) {
    case "text":
      reportCitations(block, path, loss);
      return isBlankText(block) ? [] : [{ type: "input_text", text: block.text }];
    case "image":
      return [toImagePart({ block, path }, context)];
    case "document":
      return toDocumentParts({ block, path }, context, toParts);
    case "search_result": {
      const text = [block.title, block.source, ...block.content.map((part) => part.text)].join("\n");
      loss.add(path, "approximated");
      return [{ type: "input_text", text }];
    }
    case "tool_reference": {
      const name = names.rename(block.tool_name, () => `${path}.tool_name`, loss);
      return [{ type: "input_text", text: `Tool loaded: ${name}` }];
    }
    default:
      // Among these are thinking, calls and results, which `toAssistantItems` and `ResultPlacer` convert.
      return [];
  }
}
