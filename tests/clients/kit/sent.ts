import { z } from "zod";
import type { ReceivedRequest } from "./upstream.ts";

/** The content of a request to the upstream, in the same form for both formats. */
export interface Sent {
  /** The credential, from whichever header carried it. */
  key: string | undefined;
  model: string;
  /** The conversation that the request belongs to. */
  session: string | undefined;
  /** All system and developer text. */
  system: string;
  /** All text of user messages, tool results aside. */
  user: string;
  tools: string[];
  /** The input schemas of the tools, as JSON Schema. */
  schemas: unknown[];
  /** The name of the forced tool, `any` if the choice is free among them, else `auto`. */
  choice: string;
  calls: { id: string; name: string; input: unknown }[];
  results: { id: string; text: string }[];
  /** The data URL of every image, wherever it is. */
  images: string[];
  /** The data URL of every file that is no image, wherever it is. */
  files: string[];
  /** Those of the images and files that are inside a tool's result. */
  inResults: string[];
  thinking: string;
  /** The thinking in each message of the assistant, unchanged: `reasoning_details`, or blocks. */
  reasoning: unknown[][];
  stop: string[];
  sampling: { temperature: number | undefined; top_p: number | undefined; top_k: number | undefined };
  /** The JSON Schema that the answer must match. */
  schema: unknown;
}

/** Reads a recorded request to `/chat/completions` or `/messages`. */
export function readSent({ path, headers, body }: ReceivedRequest): Sent {
  const bearer = headers.authorization?.replace(/^Bearer /, "");
  const key = bearer ?? z.string().optional().parse(headers["x-api-key"]);
  const fields = path.endsWith("/chat/completions") ? readChat(body) : readMessages(body);
  return { key, ...fields };
}

const Sampling = {
  model: z.string(),
  session_id: z.string().optional(),
  temperature: z.number().optional(),
  top_p: z.number().optional(),
  top_k: z.number().optional(),
};

const Part = z.looseObject({
  type: z.string(),
  text: z.string().optional(),
  image_url: z.looseObject({ url: z.string() }).optional(),
  file: z.looseObject({ file_data: z.string() }).optional(),
});
const Parts = z.union([
  z.string().transform((text) => [Part.parse({ type: "text", text })]),
  z.array(Part),
]);

const FunctionTool = z.looseObject({
  function: z.looseObject({ name: z.string(), parameters: z.unknown() }),
});

const ChatRequest = z.looseObject({
  ...Sampling,
  messages: z.array(z.looseObject({
    role: z.string(),
    content: Parts.nullish(),
    tool_call_id: z.string().optional(),
    tool_calls: z.array(z.object({
      id: z.string(),
      type: z.literal("function"),
      function: z.object({ name: z.string(), arguments: z.string() }),
    })).optional(),
    reasoning: z.string().nullish(),
    reasoning_details: z.array(z.looseObject({ text: z.string().optional() }))
      .optional(),
  })),
  tools: z.array(FunctionTool).optional(),
  tool_choice: z.union([
    z.string(),
    z.looseObject({ function: z.looseObject({ name: z.string() }) }),
  ]).optional(),
  stop: z.union([z.string().transform((stop) => [stop]), z.array(z.string())])
    .optional(),
  response_format: z.looseObject({
    json_schema: z.looseObject({ schema: z.unknown() }).optional(),
  }).optional(),
});

function readChat(body: unknown): Omit<Sent, "key"> {
  const { messages, ...request } = ChatRequest.parse(body);
  const parts = (...roles: string[]) =>
    messages.filter(({ role }) => roles.includes(role)).flatMap(({ content }) => content ?? []);
  const texts = (...roles: string[]) => parts(...roles).map(({ text }) => text).join("\n");
  const calls = messages.flatMap(({ tool_calls }) => tool_calls ?? []);
  const choice = request.tool_choice;
  return {
    model: request.model,
    session: request.session_id,
    system: texts("system", "developer"),
    user: texts("user"),
    tools: request.tools?.map((tool) => tool.function.name) ?? [],
    schemas: request.tools?.map((tool) => tool.function.parameters) ?? [],
    choice: typeof choice === "object" ? choice.function.name : choice === "required" ? "any" : "auto",
    calls: calls.map(({ id, function: { name, arguments: json } }) => ({
      id,
      name,
      input: JSON.parse(json),
    })),
    results: messages.filter(({ role }) => role === "tool").map(({ tool_call_id, content }) => ({
      id: tool_call_id ?? "",
      text: content?.map(({ text }) => text ?? "").join("\n") ?? "",
    })),
    images: messages.flatMap(({ content }) => content ?? []).flatMap(({ image_url }) => image_url?.url ?? []),
    files: messages.flatMap(({ content }) => content ?? []).flatMap(({ file }) => file?.file_data ?? []),
    inResults: parts("tool").flatMap(({ image_url, file }) => image_url?.url ?? file?.file_data ?? []),
    reasoning: messages.filter(({ role }) => role === "assistant").map((message) =>
      message.reasoning_details ?? []
    ),
    thinking: messages.flatMap(({ reasoning_details: details, reasoning }) =>
      details?.map(({ text }) => text) ?? reasoning ?? []
    ).join(""),
    stop: request.stop ?? [],
    sampling: { temperature: request.temperature, top_p: request.top_p, top_k: request.top_k },
    schema: request.response_format?.json_schema?.schema,
  };
}

const Block = z.looseObject({
  type: z.string(),
  text: z.string().optional(),
  id: z.string().optional(),
  name: z.string().optional(),
  input: z.unknown().optional(),
  thinking: z.string().optional(),
  tool_use_id: z.string().optional(),
  tool_name: z.string().optional(),
  source: z.looseObject({ media_type: z.string().optional(), data: z.string().optional() }).optional(),
});
const text = (value: string) => [Block.parse({ type: "text", text: value })];
const Nested = z.union([z.string().transform(text), z.array(Block)]);
const Blocks = z.union([z.string().transform(text), z.array(Block.extend({ content: Nested.optional() }))]);

const MessagesRequest = z.looseObject({
  ...Sampling,
  system: Nested.optional(),
  messages: z.array(z.looseObject({ role: z.string(), content: Blocks })),
  tools: z.array(z.looseObject({ name: z.string(), input_schema: z.unknown() })).optional(),
  tool_choice: z.looseObject({ type: z.string(), name: z.string().optional() })
    .optional(),
  stop_sequences: z.array(z.string()).optional(),
  output_config: z.looseObject({ format: z.looseObject({ schema: z.unknown() }).nullish() }).nullish(),
});

function readMessages(body: unknown): Omit<Sent, "key"> {
  const { messages, system, ...request } = MessagesRequest.parse(body);
  const blocks = messages.flatMap(({ role, content }) => content.map((block) => ({ role, ...block })));
  const results = blocks.filter(({ type }) => type === "tool_result").map((block) => ({
    id: block.tool_use_id ?? "",
    content: Nested.parse("content" in block ? block.content ?? [] : []),
  }));
  const calls = blocks.filter(({ type }) => type === "tool_use");
  const nested = [...blocks, ...results.flatMap(({ content }) => content)];
  const texts = (role: string) =>
    blocks.filter((block) => block.role === role).flatMap((block) => block.text ?? []);
  const choice = request.tool_choice;
  return {
    model: request.model,
    session: request.session_id,
    system: [...(system ?? []).flatMap((block) => block.text ?? []), ...texts("system")].join("\n"),
    user: texts("user").join("\n"),
    tools: request.tools?.map(({ name }) => name) ?? [],
    schemas: request.tools?.map(({ input_schema }) => input_schema) ?? [],
    choice: choice?.name ?? choice?.type ?? "auto",
    calls: calls.map(({ id = "", name = "", input }) => ({ id, name, input })),
    results: results.map(({ id, content }) => ({
      id,
      text: content.map((block) => block.text ?? block.tool_name).join("\n"),
    })),
    images: nested.filter(({ type }) => type === "image").map(toDataUrl),
    files: nested.filter(({ type }) => type === "document").map(toDataUrl),
    inResults: results.flatMap(({ content }) => content).filter(({ source }) => source).map(toDataUrl),
    reasoning: messages.filter(({ role }) => role === "assistant").map(({ content }) =>
      content.filter(({ type }) => type.endsWith("thinking"))
    ),
    thinking: blocks.flatMap((block) => block.thinking ?? []).join(""),
    stop: request.stop_sequences ?? [],
    sampling: { temperature: request.temperature, top_p: request.top_p, top_k: request.top_k },
    schema: request.output_config?.format?.schema,
  };
}

function toDataUrl({ source }: z.infer<typeof Block>): string {
  return `data:${source?.media_type};base64,${source?.data}`;
}
