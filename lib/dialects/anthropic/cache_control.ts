import type { Content, ContentBlock, MessagesRequest } from "../../anthropic/schema.ts";
import type { LossReport } from "../loss.ts";

/**
 * Removes every `cache_control` from a request and reports each as dropped.
 *
 * Some hosts reject requests that contain it.
 *
 * @example Usage
 * ```ts
 * import { LossReport } from "../loss.ts";
 * import { withoutCacheControl } from "./cache_control.ts";
 *
 * const loss = new LossReport();
 * const system = [{ type: "text" as const, text: "Be brief", cache_control: { type: "ephemeral" as const } }];
 * const messages = [{ role: "user" as const, content: "Hi" }];
 * const plain = withoutCacheControl({ model: "m", max_tokens: 8, system, messages }, loss);
 * if (JSON.stringify(plain.system) !== '[{"type":"text","text":"Be brief"}]') throw new Error("not removed");
 * if (loss.toHeader() !== "system.0.cache_control;dropped") throw new Error(loss.toHeader());
 * ```
 */
export function withoutCacheControl(request: MessagesRequest, loss: LossReport): MessagesRequest {
  const strip = <T extends object>(part: T, path: string): T => {
    if (!("cache_control" in part)) return part;
    if (part.cache_control) loss.add(path === "" ? "cache_control" : `${path}.cache_control`, "dropped");
    return { ...part, cache_control: undefined };
  };
  const stripAll = (content: Content, path: string): Content =>
    typeof content === "string"
      ? content
      : content.map((block, at) => strip(stripNested(block, `${path}.${at}`), `${path}.${at}`));
  const stripNested = (block: ContentBlock, path: string): ContentBlock => {
    if (block.type === "tool_result" && block.content) {
      return { ...block, content: stripAll(block.content, `${path}.content`) };
    }
    if (block.type !== "document" || block.source.type !== "content") return block;
    const content = stripAll(block.source.content, `${path}.source.content`);
    return { ...block, source: { ...block.source, content } };
  };
  const { system, tools, messages } = request;
  return {
    ...strip(request, ""),
    ...(system && { system: stripAll(system, "system") }),
    ...(tools && { tools: tools.map((tool, at) => strip(tool, `tools.${at}`)) }),
    messages: messages.map((message, at) => ({
      ...message,
      content: stripAll(message.content, `messages.${at}.content`),
    })),
  };
}
