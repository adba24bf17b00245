import * as v from "valibot";
import { tryJsonBody } from "../base/encoding/encode_json.ts";
import { isObject, type JsonObject } from "../base/json.ts";
import { removeFences } from "../dialects/fence.ts";
import { nextTask } from "../runtime/next_task.ts";
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
  const request = tryJsonBody(init.body);
  if (!v.is(ChatRequest, request)) {
    return Promise.resolve(
      Response.json({ error: { message: "Cannot answer: demo/echo accepts only chat completions" } }, {
        status: 400,
      }),
    );
  }
  const frames = toFrames(request);
  const encoder = new TextEncoder();
  let pulled = 0;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      // No network is between the frames: other requests continue in between.
      if (++pulled % FRAMES_PER_TASK === 0) await nextTask();
      const { done, value } = frames.next();
      controller.enqueue(encoder.encode(`data: ${done ? "[DONE]" : JSON.stringify(value)}\n\n`));
      if (done) controller.close();
    },
  }, { highWaterMark: 0 });
  return Promise.resolve(new Response(body, { headers: { "content-type": "text/event-stream" } }));
}

/** Yields the frames of an answer. Each is made when it is pulled, so that a long text takes no memory. */
function* toFrames(request: ChatRequest): Generator<JsonObject, void> {
  const { role, text: lastText } = findLastText(request.messages);
  const tool = role === "user" ? findTool(request, lastText) : undefined;
  const answer = role === "tool"
    ? `The tool answered: ${removeFences(lastText)}`
    : `${INTRODUCTION} You said: ${lastText}`;
  const maxWords = Math.min(request.max_tokens, MAX_WORDS);
  let finish = "stop";
  let words = 0;
  if (tool !== undefined) {
    finish = "tool_calls";
    words = 1;
    const { name, parameters } = tool.function;
    yield toChunk({ tool_calls: [{ index: 0, id: "call_demo", function: { name, arguments: "" } }] });
    const text = JSON.stringify(createSample(parameters, lastText));
    yield toChunk({ tool_calls: [{ index: 0, function: { arguments: text } }] });
  } else {
    for (const content of splitWords(answer)) {
      if (words >= maxWords) {
        finish = "length";
        break;
      }
      words++;
      yield toChunk({ content });
    }
  }
  yield { choices: [{ index: 0, delta: {}, finish_reason: finish }] };
  // The gateway's estimate counts the input. Another count here would contradict the start of the answer.
  yield { choices: [], usage: { completion_tokens: words } };
}

/** Frames after which other requests continue. */
const FRAMES_PER_TASK = 100;
/** Maximum words of an answer. A long answer is made without a pause, because nothing delays it. */
const MAX_WORDS = 8192;
/** Maximum characters of a word, and of the text in the arguments of a call. */
const MAX_WORD_CHARS = 100;
const MAX_SAMPLE_CHARS = 2000;
/** Characters of the text that are searched for names of tools. */
const MAX_SEARCHED_CHARS = 10_000;
/** Maximum values of a sample. */
const MAX_SAMPLE_VALUES = 1000;

/** Returns the tool that `tool_choice` forces, or that the text names. */
function findTool({ tools = [], tool_choice: choice }: ChatRequest, lastText: string) {
  if (choice === "none") return undefined;
  const forced = isObject(choice) && isObject(choice.function) ? choice.function.name : undefined;
  const searched = lastText.slice(0, MAX_SEARCHED_CHARS);
  // The longest name first: text with `TodoRead` also contains `Read`.
  const longest = tools.toSorted((a, b) => b.function.name.length - a.function.name.length);
  const named = tools.find(({ function: { name } }) => name === forced) ??
    longest.find(({ function: { name } }) => searched.includes(name));
  return named ?? (choice === "required" ? tools[0] : undefined);
}

/** Returns a value for a tool's schema: the required fields, filled with the user's text. */
function createSample(schema: unknown, lastText: string): unknown {
  const text = lastText.slice(0, MAX_SAMPLE_CHARS);
  let values = 0;
  return toSample(schema);

  function toSample(schema: unknown): unknown {
    if (++values > MAX_SAMPLE_VALUES) return null;
    if (!isObject(schema)) return text;
    if (Array.isArray(schema.enum)) return schema.enum[0];
    switch (schema.type) {
      case "object": {
        const properties = isObject(schema.properties) ? schema.properties : {};
        const listed = Array.isArray(schema.required) ? schema.required.map(String) : [];
        const required = new Set(listed.filter(({ length }) => length <= MAX_SAMPLE_CHARS));
        const named = new Map(Object.entries(properties));
        return Object.fromEntries(Array.from(required, (name) => [name, toSample(named.get(name))]));
      }
      case "array":
        return [];
      case "number":
      case "integer":
        return 1;
      case "boolean":
        return true;
      default:
        return text;
    }
  }
}

function toChunk(delta: JsonObject): JsonObject {
  return { object: "chat.completion.chunk", choices: [{ index: 0, delta, finish_reason: null }] };
}

/** Splits a text into words, cut to a maximum length. Each keeps the space before it: joined, they are the text. */
function* splitWords(text: string): Generator<string, void> {
  for (let at = 0; at < text.length;) {
    let end = at;
    while (end < text.length && isSpace(text.charCodeAt(end)) && end - at < MAX_WORD_CHARS) end++;
    while (end < text.length && !isSpace(text.charCodeAt(end)) && end - at < MAX_WORD_CHARS) end++;
    // A surrogate pair is not split.
    if (/[\ud800-\udbff]/.test(text.charAt(end - 1)) && end < text.length) end++;
    yield text.slice(at, end);
    at = end;
  }
}

function isSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13) || code === 0xa0;
}
