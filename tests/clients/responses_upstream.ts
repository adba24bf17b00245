import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { z } from "zod";

const Item = z.looseObject({
  type: z.string(),
  role: z.string().optional(),
  call_id: z.string().optional(),
  name: z.string().optional(),
  output: z.unknown().optional(),
  encrypted_content: z.string().optional(),
});
const Request = z.looseObject({
  model: z.string(),
  store: z.literal(false),
  stream: z.literal(true),
  include: z.array(z.string()),
  reasoning: z.looseObject({ effort: z.string() }).partial().optional(),
  tools: z.array(z.looseObject({ type: z.literal("function"), name: z.string(), strict: z.boolean() }))
    .optional(),
  input: z.array(Item).min(1),
});

/** A request that the upstream accepted. */
export type ResponsesRequest = z.infer<typeof Request>;

/** A call of a turn: the tool and its arguments. */
export interface ResponsesCall {
  id: string;
  name: string;
  input: unknown;
}

/** A turn of the scripted model: what it thinks, says and calls. */
export interface ResponsesTurn {
  secret: string;
  text: string;
  calls?: ResponsesCall[];
}

/** A loopback api.openai.com with gpt-5.6, which rejects what the real one rejects. */
export interface ResponsesUpstream {
  url: string;
  /** The requests it accepted, in order. */
  requests: ResponsesRequest[];
  /** Why it rejected requests. */
  rejections: string[];
  close(): Promise<void>;
}

/** Starts an upstream that answers with these turns, one a request, and then with the last. */
export async function startResponsesUpstream(turns: readonly ResponsesTurn[]): Promise<ResponsesUpstream> {
  const requests: ResponsesRequest[] = [];
  const rejections: string[] = [];
  const server = createServer(async (request, response) => {
    const path = new URL(request.url ?? "/", "http://upstream").pathname;
    const body: unknown = JSON.parse(await readText(request) || "null");
    if (path === "/v1/models") return void response.end('{"data":[{"id":"gpt-5.6-sol"}]}');
    if (path === "/v1/responses/input_tokens") {
      return void response.writeHead(200, { "content-type": "application/json" }).end(
        '{"object":"response.input_tokens","input_tokens":4321}',
      );
    }
    const parsed = Request.safeParse(body);
    const fault = path !== "/v1/responses"
      ? `no such endpoint: ${path}`
      : parsed.success
      ? faultOf(parsed.data)
      : parsed.error.message;
    if (fault !== undefined || !parsed.success) {
      rejections.push(fault ?? "");
      const error = { message: fault, type: "invalid_request_error", param: null, code: null };
      return void response.writeHead(400, { "content-type": "application/json" }).end(
        JSON.stringify({ error }),
      );
    }
    const turn = turns[Math.min(requests.length, turns.length - 1)];
    requests.push(parsed.data);
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end(turn === undefined ? "" : writeResponse(turn));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = z.object({ port: z.number() }).parse(server.address());
  return {
    url: `http://127.0.0.1:${address.port}/v1`,
    requests,
    rejections,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

/** Returns why OpenAI would reject the items of a request. */
function faultOf({ input }: ResponsesRequest): string | undefined {
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

function writeResponse({ secret, text, calls = [] }: ResponsesTurn): string {
  const items = [
    {
      id: "rs_1",
      type: "reasoning",
      summary: [{ type: "summary_text", text: "I think." }],
      encrypted_content: secret,
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
  const events: { type: string; [field: string]: unknown }[] = [
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
  return events.map((event, sequence_number) =>
    `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number })}\n\n`
  ).join("");
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}
