import { z } from "zod";
import { type HostTurn, type Refusal, writeEvents } from "./host.ts";

const Part = z.looseObject({ type: z.string(), text: z.string().optional() });
const Call = z.looseObject({
  id: z.string().min(1),
  type: z.literal("function"),
  function: z.strictObject({ name: z.string().min(1), arguments: z.string() }),
});

/** A request for a chat completion, as far as hosts agree on it. */
export const ChatRequest = z.looseObject({
  model: z.string(),
  stream: z.literal(true),
  stream_options: z.looseObject({ include_usage: z.literal(true) }),
  max_tokens: z.number().int().positive(),
  messages: z.array(z.looseObject({
    role: z.enum(["system", "user", "assistant", "tool"]),
    content: z.union([z.string(), z.array(Part)]).nullish(),
    tool_calls: z.array(Call).min(1).optional(),
    tool_call_id: z.string().optional(),
    reasoning_content: z.string().optional(),
  })).min(1),
  tools: z.array(z.looseObject({
    type: z.literal("function"),
    function: z.looseObject({
      name: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/),
      description: z.string().optional(),
      parameters: z.looseObject({ type: z.literal("object") }),
    }),
  })).min(1).optional(),
});
export type ChatRequest = z.infer<typeof ChatRequest>;

/** Returns why every host of chat completions would refuse a conversation. */
export function faultOfChat({ messages }: ChatRequest): string | undefined {
  let open: string[] = [];
  for (const { role, content, tool_calls, tool_call_id = "" } of messages) {
    if (role === "tool") {
      if (!open.includes(tool_call_id)) return "role 'tool' must be a response to a preceding tool call";
      open = open.filter((id) => id !== tool_call_id);
      continue;
    }
    if (open.length > 0) return `tool_call_ids did not have response messages: ${open}`;
    if (role === "assistant") open = tool_calls?.map(({ id }) => id) ?? [];
    if (role === "assistant" && !content && !tool_calls) {
      return "assistant: content or tool_calls must be set";
    }
    if (role !== "assistant" && !content?.length) return `${role}: content must not be empty`;
  }
  return open.length > 0 ? `tool_call_ids did not have response messages: ${open}` : undefined;
}

/** Returns why a chat template that takes one system message, at the beginning, would fail. */
export function faultOfTemplate({ messages }: ChatRequest): string | undefined {
  return messages.some(({ role }, at) => role === "system" && at > 0)
    ? "System message must be at the beginning."
    : undefined;
}

/** Returns the types of all parts of a conversation. */
export function partTypes({ messages }: ChatRequest): string[] {
  return messages.flatMap(({ content }) => Array.isArray(content) ? content.map(({ type }) => type) : []);
}

/** The tool that the model must call to change a file. */
export function lacksEdit({ tools }: ChatRequest): Refusal | undefined {
  return tools?.some(({ function: { name } }) => name === "Edit")
    ? undefined
    : { status: 400, message: "The request has no tool Edit" };
}

/** The differences between the answers of hosts of chat completions. */
export interface ChatAccent {
  /** Field of the reasoning. */
  reasoning: "reasoning" | "reasoning_content";
  /** Fields of every chunk. */
  fields?: object;
  /** True if usage is in a chunk without choices. Default: in the last chunk with a choice. */
  usageApart?: boolean;
}

/** Writes a turn as a stream of chunks. */
export function writeChunks(
  { thought, text, calls = [] }: HostTurn,
  { reasoning, fields = {}, usageApart = false }: ChatAccent,
): string {
  const chunk = (delta: object, finish: string | null = null, more: object = {}) => ({
    id: "chatcmpl-1",
    object: "chat.completion.chunk",
    created: 1,
    model: "m",
    ...fields,
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
    ...more,
  });
  const usage = { prompt_tokens: 1200, completion_tokens: 42, total_tokens: 1242 };
  const finish = calls.length > 0 ? "tool_calls" : "stop";
  const chunks: object[] = [
    chunk({ role: "assistant", content: null }),
    chunk({ [reasoning]: thought, content: null }),
    chunk({ content: text }),
    ...calls.flatMap(({ id, name, input }, index) => {
      const json = JSON.stringify(input);
      const call = (piece: object) => chunk({ tool_calls: [{ index, ...piece }] });
      return [
        call({ id, type: "function", function: { name, arguments: json.slice(0, 1) } }),
        call({ function: { arguments: json.slice(1) } }),
      ];
    }),
    chunk({}, finish, usageApart ? {} : { usage }),
    ...(usageApart ? [{ ...chunk({}), choices: [], usage }] : []),
  ];
  return `${writeEvents(chunks)}data: [DONE]\n\n`;
}
