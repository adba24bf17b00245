import {
  type Content,
  type ContentBlock,
  isCustomTool,
  type MessagesRequest,
  type Tool,
} from "../../anthropic/schema.ts";
import { isObject, type JsonObject } from "../../base/json.ts";
import type { LossReport } from "../loss.ts";
import { cleanSchema, type SchemaSupport } from "../request/clean_schema.ts";
import {
  withAffordableTokens,
  withCappedTokens,
  withOtherThinking,
  withoutThinkingOptions,
} from "./adjust_thinking.ts";
import type { Adjustment } from "./adjustment.ts";
import { toTextBlock } from "./block_text.ts";
import type { ReportedRequest } from "./reported_request.ts";
import { withFewerTools } from "./fewer_tools.ts";
import { simplifySchema } from "./simplify_schema.ts";

/**
 * Applies adjustments to a request in Anthropic's format, before it is translated. Reports what they change.
 *
 * The other adjustments apply to the upstream's body: see `adjustBody`. Without a change, the same object is returned.
 *
 * @example Usage
 * ```ts
 * import { LossReport } from "../loss.ts";
 * import { adjustRequest } from "./adjust_request.ts";
 *
 * const loss = new LossReport();
 * const messages = [{ role: "user" as const, content: "Hi" }];
 * const adjustments = [{ change: "cap_tokens" as const, tokens: 8192 }];
 * const { request } = adjustRequest({ model: "m", max_tokens: 32_000, messages }, adjustments, loss);
 * if (request.max_tokens !== 8192 || loss.toHeader() !== "max_tokens;approximated") throw new Error("not capped");
 * ```
 */
export function adjustRequest(
  request: MessagesRequest,
  adjustments: readonly Adjustment[],
  loss: LossReport,
): ReportedRequest {
  return adjustments.reduce<ReportedRequest>(
    (reported, adjustment) => adjustOnce(reported, adjustment),
    { request, loss },
  );
}

function adjustOnce({ request, loss }: ReportedRequest, adjustment: Adjustment): ReportedRequest {
  const adjusted = (changed: MessagesRequest): ReportedRequest => ({ request: changed, loss });
  switch (adjustment.change) {
    case "affordable_tokens":
      return adjusted(withAffordableTokens(request, adjustment.tokens, loss));
    case "cap_tokens":
      return adjusted(withCappedTokens(request, adjustment.tokens, loss));
    case "drop_thinking_options":
      return adjusted(withoutThinkingOptions(request, loss));
    case "always_thinks":
    case "adaptive_thinking":
    case "budgeted_thinking":
      return adjusted(withOtherThinking(request, adjustment.change, loss));
    case "blocks_as_text":
      return adjusted(withBlocksAsText(request, adjustment.type, loss));
    case "plain_text":
      return adjusted(withBlocksAsText(request, "image", loss));
    case "system_as_user":
      return adjusted(reportSystem(request, adjustment.every === true, loss));
    case "alternate_roles":
      return adjusted(reportSystem(request, false, loss));
    case "tool_choice_auto":
      return adjusted(withAutoChoice(request, loss));
    case "max_tools":
      return withFewerTools(request, adjustment.tools, loss);
    case "drop_strict":
      return adjusted(withoutStrict(request, loss));
    case "drop_keyword":
      return adjusted(
        withSchemas(request, loss, (schema) => cleanSchema(schema, withoutKeyword(adjustment.keyword))),
      );
    case "simple_schemas":
      return adjusted(withSchemas(request, loss, simplifySchema));
    default:
      return { request, loss };
  }
}

/** Replaces blocks of a type by texts, at any depth. */
function withBlocksAsText(request: MessagesRequest, type: string, loss: LossReport): MessagesRequest {
  const toContent = (content: Content, path: string): Content => {
    if (typeof content === "string") return content;
    const blocks = content.map((block, at) => toBlock(block, `${path}.${at}`));
    return blocks.every((block, at) => block === content[at]) ? content : blocks;
  };
  const toBlock = (block: ContentBlock, path: string): ContentBlock => {
    if (block.type === type) {
      const { text, action } = toTextBlock(block);
      loss.add(path, action);
      return text;
    }
    if (block.type === "tool_result" && block.content) {
      const content = toContent(block.content, `${path}.content`);
      return content === block.content ? block : { ...block, content };
    }
    if (block.type === "document" && block.source.type === "content") {
      const content = toContent(block.source.content, `${path}.source.content`);
      return content === block.source.content ? block : { ...block, source: { ...block.source, content } };
    }
    return block;
  };
  const messages = request.messages.map((message, at) => {
    const content = toContent(message.content, `messages.${at}.content`);
    return content === message.content ? message : { ...message, content };
  });
  return messages.every((message, at) => message === request.messages[at])
    ? request
    : { ...request, messages };
}

/** Reports system messages whose role `adjustBody` changes. */
function reportSystem(request: MessagesRequest, every: boolean, loss: LossReport): MessagesRequest {
  if (every && request.system && request.system.length > 0) loss.add("system", "approximated");
  request.messages.forEach(({ role, content }, at) => {
    if (role === "system" && content.length > 0) loss.add(`messages.${at}.role`, "approximated");
  });
  return request;
}

function withAutoChoice(request: MessagesRequest, loss: LossReport): MessagesRequest {
  const choice = request.tool_choice;
  if (!choice || choice.type === "auto") return request;
  loss.add("tool_choice", "approximated");
  if (choice.type !== "any" && choice.type !== "tool") return { ...request, tool_choice: undefined };
  const { disable_parallel_tool_use } = choice;
  return {
    ...request,
    tool_choice: { type: "auto", ...(disable_parallel_tool_use && { disable_parallel_tool_use }) },
  };
}

function withoutStrict(request: MessagesRequest, loss: LossReport): MessagesRequest {
  const tools = request.tools?.map((tool, at) => {
    if (!isCustomTool(tool) || !tool.strict) return tool;
    loss.add(`tools.${at}.strict`, "dropped");
    return { ...tool, strict: undefined };
  });
  return tools === undefined ? request : { ...request, tools };
}

/** Converts the schemas of the tools and of the answer. */
function withSchemas(
  request: MessagesRequest,
  loss: LossReport,
  convert: (schema: JsonObject) => JsonObject,
): MessagesRequest {
  const { output_config, output_format } = request;
  const toTool = (tool: Tool, at: number): Tool => {
    if (!isCustomTool(tool)) return tool;
    const schema = convert(tool.input_schema);
    if (schema === tool.input_schema) return tool;
    loss.add(`tools.${at}.input_schema`, "approximated");
    return { ...tool, input_schema: { ...schema, type: "object" } };
  };
  const toFormat = <Format extends { schema?: JsonObject | undefined }>(
    format: Format,
    path: string,
  ): Format => {
    const schema = isObject(format.schema) ? convert(format.schema) : format.schema;
    if (schema === format.schema) return format;
    loss.add(`${path}.schema`, "approximated");
    return { ...format, schema };
  };
  return {
    ...request,
    ...(request.tools && { tools: request.tools.map(toTool) }),
    ...(output_format && { output_format: toFormat(output_format, "output_format") }),
    ...(output_config?.format &&
      {
        output_config: { ...output_config, format: toFormat(output_config.format, "output_config.format") },
      }),
  };
}

function withoutKeyword(keyword: string): SchemaSupport {
  return { rejectedKeywords: [keyword], supportedFormats: undefined };
}
