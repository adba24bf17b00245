import { isJson, type Json, objects, text } from "../json.ts";

/** Seals reasoning for a client of Anthropic's API. */
export type Seal = (details: Json[]) => string;

/** Fields of a chat completion request that have another form in Anthropic's API. */
const TRANSLATED = new Set([
  "model",
  "messages",
  "stream",
  "stream_options",
  "max_tokens",
  "max_completion_tokens",
  "temperature",
  "top_p",
  "top_k",
  "stop",
  "tools",
  "tool_choice",
  "parallel_tool_calls",
  "response_format",
  "reasoning",
  "reasoning_effort",
  "thinking",
  "cache_control",
]);

/**
 * Translates a chat completion request to one of Anthropic's API, without any code of the gateway. Fields without an
 * equivalent keep their names.
 */
export function toMessagesRequest(chat: Json, seal: Seal): Json {
  const [first, ...rest] = objects(chat.messages);
  const headed = first !== undefined && isSystem(first);
  const choice = toToolChoice(chat);
  const format = toFormat(chat.response_format);
  const wanted = chat.reasoning_effort ?? (isJson(chat.reasoning) ? chat.reasoning.effort : undefined);
  const effort = wanted === "none" ? undefined : wanted;
  const left = Object.entries(chat).filter(([field]) => !TRANSLATED.has(field));
  return {
    ...Object.fromEntries(left),
    model: chat.model,
    max_tokens: chat.max_tokens ?? chat.max_completion_tokens ?? 4096,
    stream: true,
    ...(headed && { system: toBlocks(first) }),
    messages: toMessages(headed ? rest : objects(chat.messages), seal),
    ...(Array.isArray(chat.tools) && { tools: objects(chat.tools).map(toTool) }),
    ...(choice && { tool_choice: choice }),
    ...toThinking(chat),
    ...((effort !== undefined || format) && {
      output_config: { ...(effort !== undefined && { effort }), ...(format && { format }) },
    }),
    ...Object.fromEntries(
      ["temperature", "top_p", "top_k", "cache_control"].flatMap((name) =>
        chat[name] === undefined || chat[name] === null ? [] : [[name, chat[name]]]
      ),
    ),
    ...(chat.stop !== undefined && { stop_sequences: [chat.stop].flat() }),
  };
}

function toThinking({ reasoning, reasoning_effort, thinking }: Json): { thinking?: Json } {
  const { effort = reasoning_effort, enabled, max_tokens } = isJson(reasoning) ? reasoning : {};
  const type = isJson(thinking) ? thinking.type : undefined;
  if (max_tokens !== undefined) return { thinking: { type: "enabled", budget_tokens: max_tokens } };
  if (enabled === false || effort === "none" || type === "disabled") {
    return { thinking: { type: "disabled" } };
  }
  const wanted = type === "enabled" || (enabled === true && effort === undefined);
  return wanted ? { thinking: { type: "adaptive" } } : {};
}

function isSystem({ role }: Json): boolean {
  return role === "system" || role === "developer";
}

function toMessages(messages: readonly Json[], seal: Seal): Json[] {
  const turns: Json[] = [];
  for (const message of messages) {
    const before = turns.at(-1);
    if (isSystem(message)) turns.push({ role: "system", content: toBlocks(message) });
    else if (message.role === "assistant") {
      const content = [...toThoughts(message, seal), ...toBlocks(message), ...toCalls(message)];
      if (content.length > 0) turns.push({ role: "assistant", content });
    } else if (message.role !== "tool") turns.push({ role: "user", content: toBlocks(message) });
    else if (Array.isArray(before?.content) && before.results === true) {
      before.content.push(toResult(message));
    } else turns.push({ role: "user", content: [toResult(message)], results: true });
  }
  return turns.map(({ results: _results, ...message }) => message);
}

function toBlocks({ content, cache_control }: Json): Json[] {
  const mark = isJson(cache_control) ? { cache_control } : {};
  if (typeof content === "string") return content === "" ? [] : [{ type: "text", text: content, ...mark }];
  return objects(content).map((part) => {
    const url = isJson(part.image_url) ? text(part.image_url.url) : "";
    if (part.type !== "image_url") return part;
    const [, media_type, data] = /^data:([^;]+);base64,(.*)$/s.exec(url) ?? [];
    return { type: "image", source: data ? { type: "base64", media_type, data } : { type: "url", url } };
  });
}

function toThoughts(message: Json, seal: Seal): Json[] {
  const details = objects(message.reasoning_details);
  const field = ["reasoning_content", "reasoning"].find((name) => text(message[name]).trim() !== "");
  if (details.some(({ format }) => format === CLAUDE)) return details.map(toClaudeThought);
  if (details.length > 0) return [{ type: "redacted_thinking", data: seal(details) }];
  if (field === undefined) return [];
  const thinking = text(message[field]);
  const signature = seal([{ type: "reasoning.text", text: thinking, field }]);
  return [{ type: "thinking", thinking, signature }];
}

const CLAUDE = "anthropic-claude-v1";

/** Claude's thoughts have the same fields in both APIs. */
function toClaudeThought({ text: thinking, signature, data }: Json): Json {
  return data === undefined
    ? { type: "thinking", thinking: text(thinking), signature }
    : { type: "redacted_thinking", data };
}

function toCalls({ tool_calls }: Json): Json[] {
  return objects(tool_calls).map(({ id, function: called }) => ({
    type: "tool_use",
    id,
    name: isJson(called) ? called.name : undefined,
    input: JSON.parse(isJson(called) ? text(called.arguments) || "{}" : "{}"),
  }));
}

function toResult({ tool_call_id, content, cache_control }: Json): Json {
  const blocks = toBlocks({ content, cache_control });
  return { type: "tool_result", tool_use_id: tool_call_id, content: blocks };
}

function toTool({ type, function: declared, cache_control, ...rest }: Json): Json {
  if (type !== "function" || !isJson(declared)) return { type, ...rest };
  const { name, description, parameters, strict } = declared;
  return {
    name,
    ...(description !== undefined && { description }),
    input_schema: { type: "object", ...(isJson(parameters) ? parameters : {}) },
    ...(typeof strict === "boolean" && { strict }),
    ...(isJson(cache_control) && { cache_control }),
  };
}

function toToolChoice({ tool_choice: choice, parallel_tool_calls: parallel, tools }: Json): Json | undefined {
  const single = parallel === false && { disable_parallel_tool_use: true };
  if (!Array.isArray(tools) || tools.length === 0) return undefined;
  if (isJson(choice) && isJson(choice.function)) {
    return { type: "tool", name: choice.function.name, ...single };
  }
  if (choice === "required") return { type: "any", ...single };
  if (choice === "none") return { type: "none" };
  return choice === "auto" || single ? { type: "auto", ...single } : undefined;
}

function toFormat(format: unknown): Json | undefined {
  if (!isJson(format) || format.type === "text") return undefined;
  const schema = isJson(format.json_schema) ? format.json_schema.schema : undefined;
  return schema === undefined ? { type: format.type } : { type: format.type, schema };
}

/** Reduces a request to one form of the parts that both APIs have: its content block by block, and its settings. */
export function toPlain(request: Json): Json {
  const { system, messages, tools, tool_choice, output_config, output_format, thinking } = request;
  const format = (isJson(output_config) ? output_config.format : undefined) ?? output_format;
  const head = typeof system === "string" ? [{ type: "text", text: system }] : objects(system);
  const blocks = [
    ...toPlainBlocks("system", head),
    ...objects(messages).flatMap(({ role, content }) =>
      toPlainBlocks(
        text(role),
        typeof content === "string" ? [{ type: "text", text: content }] : objects(content),
      )
    ),
  ];
  const plain = {
    blocks,
    tools: objects(tools).map(toPlainTool),
    choice: toPlainChoice(tool_choice),
    format: isJson(format) ? format.schema : undefined,
    effort: isJson(output_config) ? output_config.effort : undefined,
    thinking: isJson(thinking) && thinking.type !== "disabled"
      ? { ...thinking, display: undefined }
      : undefined,
    ...Object.fromEntries(
      ["max_tokens", "temperature", "top_p", "top_k", "stop_sequences", "cache_control"].map((
        name,
      ) => [name, request[name]]),
    ),
  };
  return JSON.parse(JSON.stringify(plain, (_key, value) => value ?? undefined));
}

/** Joins the text of a system message if no part is marked for the cache. Omits empty text. */
function toPlainBlocks(role: string, blocks: readonly Json[]): Json[] {
  const kept = blocks.filter((block) => block.type !== "text" || block.text !== "");
  const marked = kept.some(({ cache_control }) => isJson(cache_control));
  if (role === "system" && !marked && kept.length > 0) {
    return [{ role, text: kept.map((block) => text(block.text)).join("\n\n") }];
  }
  return kept.map((block) => ({ role, ...toPlainBlock(block) }));
}

function toPlainBlock(
  { type, content, is_error, citations: _citations, caller: _caller, ...block }: Json,
): Json {
  if (type === "document" && isJson(block.source)) {
    const { source, title, ...rest } = block;
    const file_data = `data:${source.media_type};base64,${source.data}`;
    return { type: "file", file: { filename: title ?? "document.pdf", file_data }, ...rest };
  }
  if (type !== "tool_result") return { type, ...block };
  const blocks = typeof content === "string" ? [{ type: "text", text: content }] : objects(content);
  const result = blocks.map((one) =>
    one.type === "tool_reference" ? `Tool loaded: ${one.tool_name}` : text(one.text)
  ).join("\n");
  // The cache mark may be on the result, or on its text.
  const mark = block.cache_control ??
    blocks.findLast(({ cache_control }) => isJson(cache_control))?.cache_control;
  return { type, ...block, text: is_error === true ? `Error: ${result}` : result, cache_control: mark };
}

function toPlainChoice(choice: unknown): Json | undefined {
  if (!isJson(choice)) return undefined;
  const { disable_parallel_tool_use: single, ...chosen } = choice;
  return { ...chosen, ...(single === true && { disable_parallel_tool_use: single }) };
}

function toPlainTool({ name, type, description, input_schema, strict, cache_control }: Json): Json {
  return {
    name,
    type: type === "custom" ? undefined : type,
    description: description || undefined,
    input_schema: isJson(input_schema) ? { properties: {}, ...input_schema } : undefined,
    strict: strict === true ? true : undefined,
    cache_control,
  };
}
