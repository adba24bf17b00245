import { z } from "zod";
import { type HostApi, type HostCall, type HostTurn, type Refusal, writeEvents } from "./host.ts";

/** Blocks of the API's first version, which are all that the host has. */
const BLOCK_TYPES = ["text", "image", "tool_use", "tool_result", "thinking"];

const Block = z.looseObject({
  type: z.string(),
  id: z.string().optional(),
  tool_use_id: z.string().optional(),
  content: z.unknown().optional(),
});
const MessagesRequest = z.looseObject({
  model: z.string(),
  stream: z.literal(true),
  max_tokens: z.number().int().positive(),
  messages: z.array(z.looseObject({ role: z.string(), content: z.union([z.string(), z.array(Block)]) })).min(
    1,
  ),
  tools: z.array(z.looseObject({ name: z.string(), input_schema: z.unknown() })).optional(),
});
export type MessagesRequest = z.infer<typeof MessagesRequest>;

/**
 * A host that imitates Anthropic's API: it accepts the fields of the first version, and its events break the grammar.
 *
 * Sources: https://github.com/sgl-project/sglang/issues/24294, https://github.com/Wei-Shaw/sub2api/issues/4294,
 * https://github.com/cline/cline/issues/9215, https://github.com/farion1231/cc-switch/issues/2941
 */
export const COMPATIBLE: HostApi<MessagesRequest> = {
  path: "/v1/messages",
  models: { data: [{ id: "glm-5", type: "model" }] },
  schema: MessagesRequest,
  faultOf(request) {
    const message = faultOfFields(request) ?? faultOfMessages(request);
    return message === undefined ? undefined : { status: 400, message };
  },
  toError: ({ message }: Refusal) => ({ type: "error", error: { type: "invalid_request_error", message } }),
  write: (turn, nth) =>
    nth === 0 ? writeMixed(turn) : nth === 1 ? writeInterleaved(turn) : writeRepeated(turn),
};

function faultOfFields(request: MessagesRequest): string | undefined {
  if ("context_management" in request) return "context_management: Extra inputs are not permitted";
  const odd = request.tools?.find((tool) => "defer_loading" in tool || "type" in tool);
  if (odd !== undefined) return `tools: "${odd.name}" is of an unknown type`;
  return request.tools?.some(({ name }) => name === "Edit") ? undefined : "The request has no tool Edit";
}

function faultOfMessages({ messages }: MessagesRequest): string | undefined {
  let open: string[] = [];
  for (const [at, { role, content }] of messages.entries()) {
    if (role !== "user" && role !== "assistant") {
      return `messages.${at}.role: Input should be 'user' or 'assistant'`;
    }
    if (content.length === 0) return `messages.${at}: content must not be empty`;
    const blocks = typeof content === "string" ? [] : content;
    const odd = blocks.find(({ type }) => !BLOCK_TYPES.includes(type));
    if (odd !== undefined) return `messages.${at}: unknown content type ${odd.type}`;
    const results = blocks.flatMap(({ type, tool_use_id = "" }) =>
      type === "tool_result" ? [tool_use_id] : []
    );
    if (open.some((id) => !results.includes(id))) return `messages.${at}: tool_use without tool_result`;
    if (blocks.some(({ type, content }) => type === "tool_result" && content === undefined)) {
      return `messages.${at}: tool_result without content`;
    }
    open = blocks.flatMap(({ type, id = "" }) => type === "tool_use" ? [id] : []);
  }
  return undefined;
}

const START = {
  type: "message_start",
  message: {
    id: "chat-1",
    type: "message",
    role: "assistant",
    model: "glm-5",
    content: [],
    usage: { input_tokens: 1200, output_tokens: 0 },
  },
};
const toEnd = (stop_reason: string) => ({
  type: "message_delta",
  delta: { stop_reason },
  usage: { output_tokens: 42 },
});
const startBlock = (index: number, content_block: object) => ({
  type: "content_block_start",
  index,
  content_block,
});
const deltaOf = (index: number, delta: object) => ({ type: "content_block_delta", index, delta });
const stopBlock = (index: number) => ({ type: "content_block_stop", index });
const toBlock = ({ id, name }: HostCall, input: unknown) => ({ type: "tool_use", id, name, input });

/**
 * A thought without signature and stop, a call whose input stands in its start, text inside the call; no last event.
 */
function writeMixed({ thought, text, calls = [] }: HostTurn): string {
  const events = calls.flatMap((call, at) => [
    startBlock(at + 1, toBlock(call, call.input)),
    deltaOf(at + 1, { type: "text_delta", text }),
    stopBlock(at + 1),
  ]);
  return writeEvents([
    START,
    startBlock(0, { type: "thinking", thinking: "" }),
    deltaOf(0, { type: "thinking_delta", thinking: thought }),
    ...events,
    toEnd("end_turn"), // denies the calls
  ]);
}

/** Calls whose deltas alternate, amid them comments and empty objects, then the end of OpenAI's streams. */
function writeInterleaved({ text, calls = [] }: HostTurn): string {
  const halves = calls.map(({ input }) => {
    const json = JSON.stringify(input);
    return [json.slice(0, 9), json.slice(9)];
  });
  const piece = (half: number) =>
    halves.map((pieces, at) =>
      deltaOf(at + 1, { type: "input_json_delta", partial_json: pieces[half] ?? "" })
    );
  const begin = writeEvents([
    START,
    startBlock(0, { type: "text", text: "" }),
    deltaOf(0, { type: "text_delta", text }),
    ...calls.map((call, at) => startBlock(at + 1, toBlock(call, {}))),
    ...piece(0),
  ]);
  const end = writeEvents([
    ...piece(1),
    ...calls.map((_call, at) => stopBlock(at + 1)),
    toEnd("tool_use"),
    { type: "message_stop" },
  ]);
  return `${begin}: keepalive\n\ndata: {}\n\n${end}data: [DONE]\n\n`;
}

/** The first text is in the start of the block and again in its first delta; neither block nor message is stopped. */
function writeRepeated({ text }: HostTurn): string {
  const first = text.slice(0, 2);
  return writeEvents([
    START,
    startBlock(0, { type: "text", text: first }),
    deltaOf(0, { type: "text_delta", text: first }),
    deltaOf(0, { type: "text_delta", text: text.slice(2) }),
    toEnd("end_turn"),
  ]);
}
