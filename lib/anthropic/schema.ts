import * as v from "valibot";
import { boundedList } from "./bounded_list.ts";
import { choice } from "./choice.ts";
import type { JsonObject } from "../base/json.ts";

/**
 * Schemas of the requests of Anthropic's Messages API.
 *
 * Known parts are checked. Unknown fields, blocks and tools are kept, because the API grows faster than its gateways.
 * The schemas have no defaults and no transforms: a checked request is the same object and can be forwarded unchanged.
 * Source: https://platform.claude.com/docs/en/api/messages
 */

/**
 * A block, tool or source of an unknown type.
 *
 * TypeScript has no type for "any other string". The literal stands for it, so that only this type remains in the
 * `default` case of a switch. No value equals the literal.
 */
export type Unknown = { type: "(unknown)"; [field: string]: unknown };

const Unknown: v.GenericSchema<Unknown> = v.custom<Unknown>(
  (input) => isTagged(input),
  "Input should be an object",
);

const JsonObjectSchema: v.GenericSchema<JsonObject> = v.custom<JsonObject>(
  (input) => typeof input === "object" && input !== null && !Array.isArray(input),
  "Input should be an object",
);

const Finite = v.pipe(
  v.number("Input should be a valid number"),
  v.finite("Input should be a finite number"),
);
const Count = v.pipe(
  v.number("Input should be a valid integer"),
  v.integer("Input should be a valid integer"),
  v.minValue(0, "Input should be greater than or equal to 0"),
);
const Text = v.string("Input should be a valid string");
const Flag = v.boolean("Input should be a valid boolean");

/** Bound of a list of content blocks. */
const BLOCKS = { max: 100_000, items: "content blocks" };

const CacheControl = v.looseObject({ type: v.literal("ephemeral"), ttl: v.nullish(Text) });
const cached = { cache_control: v.nullish(CacheControl) };

/** Selects the schema by the `type` of the value. Known types are checked, unknown types are kept. */
function byType<T>(name: string, kinds: Record<string, v.GenericSchema<T>>): v.GenericSchema<T | Unknown> {
  const schemas = new Map(Object.entries(kinds));
  const choose = (input: unknown) => (isTagged(input) && schemas.get(input.type)) || Unknown;
  return choice(
    name,
    [...schemas.values(), Unknown],
    choose as (input: unknown) => v.GenericSchema<T | Unknown>,
  );
}

function isTagged(input: unknown): input is { type: string } {
  return typeof input === "object" && input !== null && "type" in input && typeof input.type === "string";
}

// ---- content blocks

const TextBlock = v.looseObject({ type: v.literal("text"), text: Text, ...cached });

const Base64Source = v.looseObject({ type: v.literal("base64"), media_type: Text, data: Text });
const UrlSource = v.looseObject({ type: v.literal("url"), url: Text });
const TextSource = v.looseObject({ type: v.literal("text"), media_type: v.optional(Text), data: Text });
const FileSource = v.looseObject({ type: v.literal("file"), file_id: Text });

const ImageBlock = v.looseObject({
  type: v.literal("image"),
  source: byType<ImageSource>("ImageSource", { base64: Base64Source, url: UrlSource, file: FileSource }),
  ...cached,
});

const ContentSource: v.GenericSchema<ContentSource> = v.looseObject({
  type: v.literal("content"),
  content: v.lazy((): v.GenericSchema<Content> => Content),
});

const DocumentBlock = v.looseObject({
  type: v.literal("document"),
  source: byType<DocumentSource>("DocumentSource", {
    base64: Base64Source,
    url: UrlSource,
    text: TextSource,
    content: ContentSource,
    file: FileSource,
  }),
  title: v.nullish(Text),
  context: v.nullish(Text),
  ...cached,
});

const SearchResultBlock = v.looseObject({
  type: v.literal("search_result"),
  source: Text,
  title: Text,
  content: boundedList(TextBlock, BLOCKS),
  ...cached,
});

const ThinkingBlock = v.looseObject({
  type: v.literal("thinking"),
  thinking: Text,
  signature: v.optional(Text),
});

const RedactedThinkingBlock = v.looseObject({ type: v.literal("redacted_thinking"), data: Text });

const ToolUseBlock = v.looseObject({
  type: v.literal("tool_use"),
  id: Text,
  name: Text,
  input: JsonObjectSchema,
  ...cached,
});

const ToolReferenceBlock = v.looseObject({ type: v.literal("tool_reference"), tool_name: Text, ...cached });

const ToolResultBlock: v.GenericSchema<ToolResultBlock> = v.looseObject({
  type: v.literal("tool_result"),
  tool_use_id: Text,
  content: v.nullish(v.lazy((): v.GenericSchema<Content> => Content)),
  is_error: v.nullish(Flag),
  ...cached,
});

type ImageSource =
  | v.InferOutput<typeof Base64Source>
  | v.InferOutput<typeof UrlSource>
  | v.InferOutput<typeof FileSource>;
type ContentSource = { type: "content"; content: Content; [field: string]: unknown };
type DocumentSource = ImageSource | v.InferOutput<typeof TextSource> | ContentSource;

export type CacheControl = v.InferOutput<typeof CacheControl>;
export type TextBlock = v.InferOutput<typeof TextBlock>;
export type ImageBlock = v.InferOutput<typeof ImageBlock>;
export type DocumentBlock = v.InferOutput<typeof DocumentBlock>;
export type SearchResultBlock = v.InferOutput<typeof SearchResultBlock>;
export type ThinkingBlock = v.InferOutput<typeof ThinkingBlock>;
export type RedactedThinkingBlock = v.InferOutput<typeof RedactedThinkingBlock>;
export type ToolUseBlock = v.InferOutput<typeof ToolUseBlock>;
export type ToolReferenceBlock = v.InferOutput<typeof ToolReferenceBlock>;
export type ToolResultBlock = {
  type: "tool_result";
  tool_use_id: string;
  content?: Content | null | undefined;
  is_error?: boolean | null | undefined;
  cache_control?: CacheControl | null | undefined;
  [field: string]: unknown;
};

/** A content block of a known type in a request. */
export type KnownBlock =
  | TextBlock
  | ImageBlock
  | DocumentBlock
  | SearchResultBlock
  | ThinkingBlock
  | RedactedThinkingBlock
  | ToolUseBlock
  | ToolReferenceBlock
  | ToolResultBlock;
/** A content block of a request. */
export type ContentBlock = KnownBlock | Unknown;
/** Content of a message, a system prompt or a tool result. */
export type Content = string | ContentBlock[];

const ContentBlock: v.GenericSchema<ContentBlock> = byType<KnownBlock>("ContentBlock", {
  text: TextBlock,
  image: ImageBlock,
  document: DocumentBlock,
  search_result: SearchResultBlock,
  thinking: ThinkingBlock,
  redacted_thinking: RedactedThinkingBlock,
  tool_use: ToolUseBlock,
  tool_reference: ToolReferenceBlock,
  tool_result: ToolResultBlock,
});

/** Parses a block of an answer as a block of a request: the next turn sends the answer back to the model. */
export function parseBlock(block: { type: string }): ContentBlock {
  return v.is(ContentBlock, block) ? block : v.parse(Unknown, block);
}

const StringContent: v.GenericSchema<Content> = v.string("Input should be a valid string or a valid list");
const BlockContent: v.GenericSchema<Content> = boundedList(ContentBlock, BLOCKS);
const Content: v.GenericSchema<Content> = choice(
  "Content",
  [StringContent, BlockContent],
  (input) => Array.isArray(input) ? BlockContent : StringContent,
);

// ---- messages

const Effort = v.nullish(Text);

const Message = v.looseObject({
  role: v.picklist(["user", "assistant", "system"], "Input should be 'user', 'assistant' or 'system'"),
  content: Content,
  output_config: v.nullish(v.looseObject({ effort: Effort })),
});
export type Message = v.InferOutput<typeof Message>;

// ---- tools

/** A tool that the client defines and runs. Any other tool has a specific `type`. */
const CustomTool = v.looseObject({
  type: v.nullish(v.literal("custom")),
  name: v.pipe(Text, v.minLength(1, "String should have at least 1 character")),
  description: v.nullish(Text),
  input_schema: v.looseObject(
    { type: v.literal("object", "Input should be 'object'") },
    "Input should be an object",
  ),
  strict: v.nullish(Flag),
  defer_loading: v.nullish(Flag),
  ...cached,
});
/** A tool defined by its type alone: Anthropic's client and server tools, MCP toolsets. */
const TypedTool = v.looseObject({ type: Text, name: v.nullish(Text) });

export type CustomTool = v.InferOutput<typeof CustomTool>;
export type TypedTool = v.InferOutput<typeof TypedTool>;
export type Tool = CustomTool | TypedTool;

const Tool: v.GenericSchema<Tool> = choice<Tool>(
  "Tool",
  [CustomTool, TypedTool],
  (input) => isTagged(input) && input.type !== "custom" ? TypedTool : CustomTool,
);

/** Returns true if a value is a tool, as in the `tools` of a request. */
export function isTool(value: unknown): value is Tool {
  return v.is(Tool, value);
}

/** Returns true if a tool carries its schema; false if its type alone defines it. */
export function isCustomTool(tool: Tool): tool is CustomTool {
  return tool.type === undefined || tool.type === null || tool.type === "custom";
}

const parallel = { disable_parallel_tool_use: v.nullish(Flag) };
const ToolChoiceAuto = v.looseObject({ type: v.literal("auto"), ...parallel });
const ToolChoiceAny = v.looseObject({ type: v.literal("any"), ...parallel });
const ToolChoiceTool = v.looseObject({ type: v.literal("tool"), name: Text, ...parallel });
const ToolChoiceNone = v.looseObject({ type: v.literal("none") });
type KnownToolChoice =
  | v.InferOutput<typeof ToolChoiceAuto>
  | v.InferOutput<typeof ToolChoiceAny>
  | v.InferOutput<typeof ToolChoiceTool>
  | v.InferOutput<typeof ToolChoiceNone>;
export type ToolChoice = KnownToolChoice | Unknown;
const ToolChoice = byType<KnownToolChoice>("ToolChoice", {
  auto: ToolChoiceAuto,
  any: ToolChoiceAny,
  tool: ToolChoiceTool,
  none: ToolChoiceNone,
});

// ---- thinking and output

const display = { display: v.nullish(Text) };
const ThinkingEnabled = v.looseObject({ type: v.literal("enabled"), budget_tokens: Count, ...display });
const ThinkingAdaptive = v.looseObject({ type: v.literal("adaptive"), ...display });
const ThinkingDisabled = v.looseObject({ type: v.literal("disabled") });
const ThinkingBetweenTools = v.looseObject({ type: v.literal("between_tools"), ...display });
type KnownThinking =
  | v.InferOutput<typeof ThinkingEnabled>
  | v.InferOutput<typeof ThinkingAdaptive>
  | v.InferOutput<typeof ThinkingDisabled>
  | v.InferOutput<typeof ThinkingBetweenTools>;
export type Thinking = KnownThinking | Unknown;
const Thinking = byType<KnownThinking>("Thinking", {
  enabled: ThinkingEnabled,
  adaptive: ThinkingAdaptive,
  disabled: ThinkingDisabled,
  between_tools: ThinkingBetweenTools,
});

const OutputFormat = v.looseObject({ type: Text, schema: v.optional(JsonObjectSchema) });
const OutputConfig = v.looseObject({ effort: Effort, format: v.nullish(OutputFormat) });

// ---- requests

const shared = {
  model: v.pipe(
    Text,
    v.minLength(1, "String should have at least 1 character"),
    v.maxLength(256, "String should have at most 256 characters"),
  ),
  messages: v.pipe(
    boundedList(Message, { max: 100_000, items: "messages" }),
    v.minLength(1, "at least one message is required"),
  ),
  system: v.nullish(Content),
  tools: v.nullish(boundedList(Tool, { max: 10_000, items: "tools" })),
  tool_choice: v.nullish(ToolChoice),
  thinking: v.nullish(Thinking),
  output_config: v.nullish(OutputConfig),
  output_format: v.nullish(OutputFormat),
  ...cached,
};

/** The body of `POST /v1/messages/count_tokens`. */
export const CountTokensRequest = v.looseObject(shared, "Input should be an object");
export type CountTokensRequest = v.InferOutput<typeof CountTokensRequest>;

/** The body of `POST /v1/messages`. */
export const MessagesRequest = v.looseObject({
  ...shared,
  max_tokens: Count,
  stream: v.nullish(Flag),
  stop_sequences: v.nullish(boundedList(Text, { max: 1000, items: "stop sequences" })),
  temperature: v.nullish(Finite),
  top_p: v.nullish(Finite),
  top_k: v.nullish(Finite),
  metadata: v.nullish(v.looseObject({ user_id: v.nullish(Text) })),
}, "Input should be an object");
export type MessagesRequest = v.InferOutput<typeof MessagesRequest>;
