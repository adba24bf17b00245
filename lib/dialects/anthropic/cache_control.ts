import type { Content, ContentBlock, MessagesRequest } from "../../anthropic/schema.ts";
import type { LossReport } from "../loss.ts";

/**
 * Takes the marks for the cache out of a request, wherever they may stand, and reports each: for a model whose hosts
 * refuse a request for them.
 *
 * @example Usage
 * ```ts
 * import { LossReport } from "../loss.ts";
 * import { withoutCacheMarks } from "./cache_control.ts";
 *
 * const loss = new LossReport();
 * const system = [{ type: "text" as const, text: "Be brief", cache_control: { type: "ephemeral" as const } }];
 * const messages = [{ role: "user" as const, content: "Hi" }];
 * const plain = withoutCacheMarks({ model: "m", max_tokens: 8, system, messages }, loss);
 * if (JSON.stringify(plain.system) !== '[{"type":"text","text":"Be brief"}]') throw new Error("still marked");
 * if (loss.toHeader() !== "system.0.cache_control;dropped") throw new Error(loss.toHeader());
 * ```
 */
export function withoutCacheMarks(request: MessagesRequest, loss: LossReport): MessagesRequest {
  const unmark = <T extends object>(marked: T, path: string): T => {
    if (!("cache_control" in marked)) return marked;
    if (marked.cache_control) loss.add(path === "" ? "cache_control" : `${path}.cache_control`, "dropped");
    return { ...marked, cache_control: undefined };
  };
  const unmarkAll = (content: Content, path: string): Content =>
    typeof content === "string"
      ? content
      : content.map((block, at) => unmark(toInner(block, `${path}.${at}`), `${path}.${at}`));
  const toInner = (block: ContentBlock, path: string): ContentBlock => {
    if (block.type === "tool_result" && block.content) {
      return { ...block, content: unmarkAll(block.content, `${path}.content`) };
    }
    if (block.type !== "document" || block.source.type !== "content") return block;
    const content = unmarkAll(block.source.content, `${path}.source.content`);
    return { ...block, source: { ...block.source, content } };
  };
  const { system, tools, messages } = request;
  return {
    ...unmark(request, ""),
    ...(system && { system: unmarkAll(system, "system") }),
    ...(tools && { tools: tools.map((tool, at) => unmark(tool, `tools.${at}`)) }),
    messages: messages.map((message, at) => ({
      ...message,
      content: unmarkAll(message.content, `messages.${at}.content`),
    })),
  };
}
