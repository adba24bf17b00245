import { z } from "zod";
import { type HostApi, type HostTurn, writeEvents } from "./host.ts";

const Item = z.looseObject({
  type: z.string(),
  role: z.string().optional(),
  call_id: z.string().optional(),
  name: z.string().optional(),
  output: z.unknown().optional(),
  encrypted_content: z.string().optional(),
});
const ResponsesRequest = z.looseObject({
  model: z.string(),
  store: z.literal(false),
  stream: z.literal(true),
  include: z.array(z.string()),
  reasoning: z.looseObject({ effort: z.string() }).partial().optional(),
  tools: z.array(z.looseObject({ type: z.literal("function"), name: z.string(), strict: z.boolean() }))
    .optional(),
  input: z.array(Item).min(1),
});
export type ResponsesRequest = z.infer<typeof ResponsesRequest>;

/** api.openai.com with gpt-5.6. Each turn's thought is also its encrypted reasoning. */
export const OPENAI: HostApi<ResponsesRequest> = {
  path: "/v1/responses",
  count: {
    path: "/v1/responses/input_tokens",
    body: { object: "response.input_tokens", input_tokens: 4321 },
  },
  models: { data: [{ id: "gpt-5.6-sol" }] },
  schema: ResponsesRequest,
  faultOf(request) {
    const message = request.tools?.some(({ name }) => name === "Edit")
      ? faultOfItems(request)
      : "The request has no tool Edit";
    return message === undefined ? undefined : { status: 400, message };
  },
  toError: ({ message }) => ({ error: { message, type: "invalid_request_error", param: null, code: null } }),
  write: writeResponse,
};

function faultOfItems({ input }: ResponsesRequest): string | undefined {
  const open = new Set<string>();
  for (const [at, { type, role, call_id = "", encrypted_content, ...item }] of input.entries()) {
    if ("id" in item) return `Item with id '${item.id}' not found`;
    if (call_id.length > 64) return "string_above_max_length";
    if (type === "function_call") open.add(call_id);
    if (type === "function_call_output" && !open.delete(call_id)) return `No tool call found for ${call_id}`;
    if (role === "user" && open.size > 0) return `No tool output found for function call ${[...open]}`;
    if (type !== "reasoning") continue;
    if (!encrypted_content) return "The encrypted content could not be verified";
    if (!["message", "function_call"].includes(input[at + 1]?.type ?? "")) {
      return "Item of type 'reasoning' was provided without its required following item";
    }
  }
  return open.size > 0 ? `No tool output found for function call ${[...open]}` : undefined;
}

function writeResponse({ thought, text, calls = [] }: HostTurn): string {
  const items = [
    {
      id: "rs_1",
      type: "reasoning",
      summary: [{ type: "summary_text", text: "I think." }],
      encrypted_content: thought,
    },
    {
      id: "msg_1",
      type: "message",
      role: "assistant",
      content: [{ type: "output_text", text, annotations: [] }],
    },
    ...calls.map(({ id, name, input }, nth) => ({
      id: `fc_${nth}`,
      type: "function_call",
      call_id: id,
      name,
      arguments: JSON.stringify(input),
    })),
  ];
  const usage = {
    input_tokens: 1200,
    input_tokens_details: { cached_tokens: 1000 },
    output_tokens: 42,
    output_tokens_details: { reasoning_tokens: 7 },
    total_tokens: 1242,
  };
  const events = [
    { type: "response.created", response: { id: "resp_1", status: "in_progress", output: [] } },
    ...items.flatMap((item, output_index) => [
      {
        type: "response.output_item.added",
        output_index,
        item: { ...item, ...("arguments" in item ? { arguments: "" } : { content: [], summary: [] }) },
      },
      ...("summary" in item
        ? [{
          type: "response.reasoning_summary_text.delta",
          output_index,
          summary_index: 0,
          delta: "I think.",
        }]
        : "content" in item
        ? [{ type: "response.output_text.delta", output_index, content_index: 0, delta: text }]
        : [{ type: "response.function_call_arguments.delta", output_index, delta: item.arguments }]),
      { type: "response.output_item.done", output_index, item },
    ]),
    { type: "response.completed", response: { id: "resp_1", status: "completed", output: items, usage } },
  ];
  return writeEvents(events.map((event, sequence_number) => ({ ...event, sequence_number })));
}
