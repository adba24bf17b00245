import * as v from "valibot";
import { isObject, type JsonObject, tryJson } from "../base/json.ts";
import { removeFences } from "../dialects/fence.ts";
import { findLastText } from "./demo_text.ts";
import { DEMO, type Upstream } from "./upstream.ts";

const Part = v.looseObject({ type: v.string(), text: v.optional(v.string()) });
const ChatRequest = v.looseObject({
  max_tokens: v.number(),
  messages: v.array(
    v.looseObject({ role: v.string(), content: v.nullish(v.union([v.string(), v.array(Part)])) }),
  ),
  tools: v.optional(v.array(v.looseObject({
    function: v.looseObject({ name: v.string(), parameters: v.optional(v.unknown()) }),
  }))),
  tool_choice: v.optional(v.unknown()),
});
type ChatRequest = v.InferOutput<typeof ChatRequest>;

/**
 * Embedded upstream with the model `demo/echo`. It accepts chat completions and needs no key and no network.
 *
 * It repeats the user's text word by word. It calls a tool if the text names one or `tool_choice` requires one.
 */
export const demo: Upstream = {
  name: DEMO,
  baseUrl: "https://demo.invalid",
  preset: "demo",
  dialectChoice: "openai",
  models: [{ id: "echo" }],
  fetch: answerDemo,
};

const INTRODUCTION = "This is demo/echo, a model inside the gateway that needs no key and no network.";

function answerDemo(_url: string | URL | Request, init: RequestInit = {}): Promise<Response> {
  const request = typeof init.body === "string" ? tryJson(init.body) : undefined;
  if (!v.is(ChatRequest, request)) {
    return Promise.resolve(
      Response.json({ error: { message: "Cannot answer: demo/echo accepts only chat completions" } }, {
        status: 400,
      }),
    );
  }
  const frames = [...toFrames(request)].map((frame) => `data: ${JSON.stringify(frame)}\n\n`);
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const frame = frames.shift();
      controller.enqueue(encoder.encode(frame ?? "data: [DONE]\n\n"));
      if (frame === undefined) controller.close();
    },
  }, { highWaterMark: 0 });
  return Promise.resolve(new Response(body, { headers: { "content-type": "text/event-stream" } }));
}

function* toFrames(request: ChatRequest): Generator<JsonObject> {
  const { role, text: lastText } = findLastText(request.messages);
  const tool = role === "user" ? findTool(request, lastText) : undefined;
  const words = splitWords(
    role === "tool"
      ? `The tool answered: ${removeFences(lastText)}`
      : `${INTRODUCTION} You said: ${lastText}`,
  );
  const kept = words.slice(0, request.max_tokens);
  for (const content of tool === undefined ? kept : []) yield toChunk({ content });
  if (tool !== undefined) {
    const { name, parameters } = tool.function;
    yield toChunk({ tool_calls: [{ index: 0, id: "call_demo", function: { name, arguments: "" } }] });
    const text = JSON.stringify(toSample(parameters, lastText));
    yield toChunk({ tool_calls: [{ index: 0, function: { arguments: text } }] });
  }
  const finish = tool !== undefined ? "tool_calls" : kept.length < words.length ? "length" : "stop";
  yield { choices: [{ index: 0, delta: {}, finish_reason: finish }] };
  const prompt_tokens = request.messages.reduce(
    (sum, { content }) => sum + splitWords(contentText(content)).length,
    0,
  );
  yield { choices: [], usage: { prompt_tokens, completion_tokens: tool === undefined ? kept.length : 1 } };
}

/** Returns the tool that `tool_choice` forces, or that the text names. */
function findTool({ tools = [], tool_choice: choice }: ChatRequest, lastText: string) {
  if (choice === "none") return undefined;
  const forced = isObject(choice) && isObject(choice.function) ? choice.function.name : undefined;
  // The longest name first: text with `TodoRead` also contains `Read`.
  const longest = tools.toSorted((a, b) => b.function.name.length - a.function.name.length);
  const named = tools.find(({ function: { name } }) => name === forced) ??
    longest.find(({ function: { name } }) => lastText.includes(name));
  return named ?? (choice === "required" ? tools[0] : undefined);
}

/** Returns a value for a tool's schema: the required fields, filled with the user's text. */
function toSample(schema: unknown, lastText: string): unknown {
  if (!isObject(schema)) return lastText;
  if (Array.isArray(schema.enum)) return schema.enum[0];
  switch (schema.type) {
    case "object": {
      const properties = isObject(schema.properties) ? schema.properties : {};
      const required = Array.isArray(schema.required) ? schema.required.map(String) : [];
      const named = new Map(Object.entries(properties));
      return Object.fromEntries(required.map((name) => [name, toSample(named.get(name), lastText)]));
    }
    case "array":
      return [];
    case "number":
    case "integer":
      return 1;
    case "boolean":
      return true;
    default:
      return lastText;
  }
}

function toChunk(delta: JsonObject): JsonObject {
  return { object: "chat.completion.chunk", choices: [{ index: 0, delta, finish_reason: null }] };
}

function contentText(content: string | { text?: string | undefined }[] | null | undefined): string {
  return typeof content === "string" ? content : (content ?? []).map(({ text = "" }) => text).join(" ");
}

/** Splits a text into words. Each keeps the space before it, so that joined they are the text. */
function splitWords(text: string): string[] {
  return text === "" ? [] : text.split(/(?<=\S)(?=\s)/);
}
