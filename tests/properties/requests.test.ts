import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseMessagesRequest } from "../../lib/anthropic/parse.ts";
import { createAnthropicDialect } from "../../lib/dialects/anthropic/request.ts";
import type { Dialect, ModelFacts, TurnContext } from "../../lib/dialects/mod.ts";
import { seal } from "../../lib/dialects/sealed.ts";
import { createChatDialect } from "../../lib/dialects/openai/mod.ts";
import { readOpenRouterReasoning } from "../../lib/dialects/reasoning/openrouter.ts";
import { CHAT_FEATURES, responsesFeatures } from "../../lib/dialects/presets.ts";
import { createResponsesDialect } from "../../lib/dialects/responses/mod.ts";
import { PRESETS } from "../../lib/config/presets.ts";
import { isObject } from "../../lib/base/json.ts";
import { LossReport } from "../../lib/dialects/loss.ts";
import { estimateTokens } from "../../lib/tokens/estimate.ts";
import { countByRuns } from "../../lib/tokens/text.ts";
import type { Wire } from "../kit/json.ts";
import { SEED } from "../kit/random.ts";
import { MODELS } from "../kit/requests/request.ts";

const RUNS = { seed: SEED, numRuns: 300 };

/** Models whose requests differ. */
const REQUEST_MODELS = [...Object.values(MODELS), "gpt-5.6-sol", "gpt-4.1"];

/** A unique text, so that it can be found. */
const uniqueText = fc.tuple(fc.uuid(), fc.string({ unit: "binary", maxLength: 4 })).map(([id, more]) =>
  `said-${id} ${more}`
);
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const cached = fc.constantFrom({}, { cache_control: { type: "ephemeral" } }, { cache_control: null });
const mix = (...parts: fc.Arbitrary<Wire>[]): fc.Arbitrary<Wire> =>
  fc.tuple(...parts).map((each) => Object.assign({}, ...each));

const text = mix(uniqueText.map((text) => ({ type: "text", text })), cached);
const source = fc.oneof(
  uniqueText.map((data) => ({ type: "base64", media_type: "image/png", data })),
  uniqueText.map((url) => ({ type: "url", url })),
);
const image = mix(source.map((source) => ({ type: "image", source })), cached);
const unknown: fc.Arbitrary<Wire> = uniqueText.map((text) => ({ type: "block_of_a_later_day", text }));
const titles = fc.record({ title: uniqueText, context: uniqueText }, { requiredKeys: [] });
const document = mix(
  fc.oneof(
    source,
    uniqueText.map((data) => ({ type: "text", media_type: "text/plain", data })),
    uniqueText.map((content) => ({ type: "content", content })),
    fc.array(fc.oneof(text, image), { maxLength: 3 }).map((content) => ({ type: "content", content })),
    uniqueText.map((file_id) => ({ type: "file", file_id })),
  ).map((source) => ({ type: "document", source })),
  titles,
  cached,
);
const found = mix(
  fc.record({ source: uniqueText, title: uniqueText, content: fc.array(text, { maxLength: 2 }) }),
  fc.constant({ type: "search_result" }),
);
const reference = uniqueText.map((tool_name) => ({ type: "tool_reference", tool_name }));
const result = mix(
  fc.record({
    type: fc.constant("tool_result"),
    tool_use_id: fc.uuid(),
    content: maybe(fc.oneof(
      fc.constantFrom<Wire[]>("", null, []),
      uniqueText,
      fc.array(fc.oneof(text, image, document, found, reference, unknown), { maxLength: 4 }),
    )),
    is_error: fc.constantFrom(true, false, undefined),
  }),
  cached,
);
const call = mix(
  fc.record({
    id: fc.uuid(),
    name: uniqueText,
    input: fc.dictionary(fc.string(), uniqueText, { maxKeys: 3 }),
  }),
  fc.constant({ type: "tool_use" }),
);
const thinking = fc.oneof(
  fc.tuple(uniqueText, fc.constantFrom("EqQB", "", undefined)).map(([thinking, signature]) => ({
    type: "thinking",
    thinking,
    ...(signature !== undefined && { signature }),
  })),
  fc.tuple(uniqueText, fc.constantFrom(...REQUEST_MODELS, "another/model")).map(([thinking, model]) => ({
    type: "thinking",
    thinking,
    signature: seal(model, [{ type: "reasoning.text", text: thinking }]),
  })),
  uniqueText.map((data) => ({ type: "redacted_thinking", data })),
  fc.tuple(uniqueText, fc.constantFrom(...REQUEST_MODELS, "another/model")).map(([data, model]) => ({
    type: "redacted_thinking",
    data: seal(model, [{ type: "reasoning.encrypted", data }]),
  })),
);

/** Blocks of server tools and MCP servers, and of a compaction. */
const serverBlocks = fc.oneof(
  fc.record({
    type: fc.constantFrom("server_tool_use", "mcp_tool_use"),
    id: fc.uuid(),
    name: uniqueText,
    server_name: uniqueText,
    input: uniqueText.map((query) => ({ query })),
  }),
  fc.record({
    type: fc.constantFrom("web_search_tool_result", "mcp_tool_result", "bash_code_execution_tool_result"),
    tool_use_id: fc.uuid(),
    content: fc.oneof(uniqueText, uniqueText.map((text) => [{ type: "text", text }])),
  }),
  uniqueText.map((content) => ({ type: "compaction", content })),
);

const blocks = (...kinds: fc.Arbitrary<Wire>[]) => fc.array(fc.oneof(...kinds), { maxLength: 5 });
const message: fc.Arbitrary<Wire> = fc.oneof(
  fc.record({
    role: fc.constant("user"),
    content: fc.oneof(
      uniqueText,
      blocks(text, image, document, found, result, unknown, thinking, call, reference),
    ),
  }),
  fc.record({
    role: fc.constant("assistant"),
    content: fc.oneof(uniqueText, blocks(text, call, thinking, unknown, image, result, serverBlocks)),
  }),
  fc.record({
    role: fc.constant("system"),
    content: fc.oneof(uniqueText, fc.constant(""), blocks(text, unknown)),
  }),
);

const tool = fc.oneof(
  fc.record({
    name: uniqueText,
    description: uniqueText,
    input_schema: uniqueText.map((description) => ({
      type: "object",
      properties: { a: { type: "string", description } },
    })),
    strict: fc.boolean(),
  }, { requiredKeys: ["name", "input_schema"] }),
  uniqueText.map((name) => ({ type: "web_search_20250305", name })),
);

const request: fc.Arbitrary<Wire> = fc.record({
  model: fc.constant("m"),
  max_tokens: fc.nat(),
  messages: fc.array(message, { minLength: 1, maxLength: 5 }),
  system: fc.oneof(uniqueText, blocks(text, unknown), fc.constant(null)),
  tools: fc.array(tool, { maxLength: 3 }),
  tool_choice: fc.oneof(
    fc.constantFrom<Wire[]>({ type: "auto" }, { type: "any", disable_parallel_tool_use: true }, {
      type: "none",
    }),
    uniqueText.map((name) => ({ type: "tool", name })),
    fc.constant({ type: "choice_of_a_later_day" }),
  ),
  thinking: fc.constantFrom(
    { type: "enabled", budget_tokens: 2000 },
    { type: "disabled" },
    { type: "adaptive", display: "omitted" },
    { type: "between_tools" },
    { type: "thinking_of_a_later_day" },
  ),
  output_config: fc.record({
    effort: fc.constantFrom("low", "max", "effort_of_a_later_day", null),
    format: fc.oneof(
      uniqueText.map((description) => ({ type: "json_schema", schema: { type: "object", description } })),
      uniqueText.map((text) => ({ type: "format_of_a_later_day", text })),
    ),
  }, { requiredKeys: [] }),
  stop_sequences: fc.array(uniqueText, { maxLength: 6 }),
  temperature: fc.double({ noNaN: true, noDefaultInfinity: true }),
  top_p: fc.constant(0.5),
  top_k: fc.nat(),
  stream: fc.boolean(),
  metadata: fc.constant({ user_id: "u" }),
  cache_control: fc.constant({ type: "ephemeral" }),
  field_of_a_later_day: uniqueText,
}, { requiredKeys: ["model", "max_tokens", "messages"] }).map((fields) => JSON.parse(JSON.stringify(fields)));

const openrouterMessages = createAnthropicDialect({
  isAnthropic: false,
  routing: true,
  safeguards: "Claude",
});
const DIALECTS: Record<string, Dialect> = {
  "OpenRouter in Anthropic's language": openrouterMessages,
  "Anthropic itself": createAnthropicDialect({ isAnthropic: true, routing: false, safeguards: "all" }),
  "another who speaks Anthropic's language": createAnthropicDialect({
    isAnthropic: false,
    routing: false,
    safeguards: "none",
  }),
  ...Object.fromEntries(
    Object.entries(CHAT_FEATURES).map(([name, features]) => [name, createChatDialect(features)]),
  ),
  ...Object.fromEntries(
    PRESETS.map((name) => [`${name} in the Responses API`, createResponsesDialect(responsesFeatures(name))]),
  ),
};

/** Any part of the facts of a model. */
const facts: fc.Arbitrary<ModelFacts> = fc.record({
  contextLength: fc.nat(),
  maxOutput: fc.nat(),
  parameters: fc.subarray([
    "tools",
    "tool_choice",
    "temperature",
    "top_p",
    "top_k",
    "stop",
    "reasoning",
    "response_format",
  ])
    .map((names) => new Set(names)),
  inputs: fc.subarray(["text", "image", "file"]).map((names) => new Set(names)),
  reasoning: fc.record({
    efforts: fc.subarray(["low", "high", "none"]),
    mandatory: fc.boolean(),
    budget: fc.boolean(),
  }),
}, { requiredKeys: [] });

function toContext(model: string, facts: ModelFacts = {}): TurnContext & { loss: LossReport } {
  let ids = 0;
  return {
    model,
    origin: model,
    alias: "m",
    facts,
    inputTokens: 1,
    newId: (prefix) => `${prefix}${ids++}`,
    loss: new LossReport(),
  };
}

function freeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) Object.values(value).forEach(freeze);
  return Object.freeze(value);
}

/** Yields all generated texts in a value, with their paths. */
function* textsOf(value: unknown, path: string): Generator<[path: string, text: string]> {
  if (typeof value === "string") {
    if (value.startsWith("said-")) yield [path, value];
    return;
  }
  if (!isObject(value) && !Array.isArray(value)) return;
  for (const [key, item] of Object.entries(value)) yield* textsOf(item, path === "" ? key : `${path}.${key}`);
}

/** Yields all strings of a body, and those inside of JSON and of reasoning in OpenRouter's format. */
function* stringsOf(value: unknown): Generator<string> {
  if (typeof value === "string") {
    yield value;
    if (value.startsWith("{")) yield* stringsOf(JSON.parse(value));
    else yield* stringsOf(readOpenRouterReasoning(value));
  } else if (typeof value === "object" && value !== null) {
    for (const item of Object.values(value)) yield* stringsOf(item);
  }
}

function assertNoHoles(value: unknown, path: string): void {
  if (typeof value !== "object" || value === null) return;
  if (Array.isArray(value)) {
    for (const [at, item] of value.entries()) assert.notEqual(item, undefined, `${path}.${at} is something`);
  }
  for (const [key, item] of Object.entries(value)) assertNoHoles(item, `${path}.${key}`);
}

for (const [name, dialect] of Object.entries(DIALECTS)) {
  test(`Dialect.toBody() sends every text of a request or reports its loss (${name})`, () => {
    fc.assert(
      fc.property(request, facts, fc.constantFrom(...REQUEST_MODELS), (body, known, model) => {
        const parsed = parseMessagesRequest(freeze(body));
        const context = toContext(model, freeze(known));
        const sent = dialect.toBody(parsed, context);
        assertNoHoles(sent, "");
        const written = JSON.parse(JSON.stringify(sent));
        assert.equal(written.model, model);
        const onlyWarmsCache = dialect.name === "anthropic" && parsed.max_tokens === 0;
        assert.equal(written.stream, !onlyWarmsCache);
        const strings = [...stringsOf(written)];
        const lost = context.loss.entries.map(([path]) => path);
        for (const [path, text] of textsOf(body, "")) {
          // The Responses API has no stop sequences: the gateway ends the answer.
          if (dialect.name === "responses" && path.startsWith("stop_sequences.")) continue;
          const reported = lost.some((one) => path === one || path.startsWith(`${one}.`));
          assert.ok(
            reported || strings.some((one) => one.includes(text)),
            `${path} is sent or lost; ${lost}`,
          );
        }
        for (const path of lost) assert.ok(has(body, path), `${path} is a path of the request`);
      }),
      RUNS,
    );
  });
}

function has(value: unknown, path: string): boolean {
  return path === "" || path.split(".").every((key) => {
    const there = typeof value === "object" && value !== null && key in value;
    value = there ? Object.entries(value ?? {}).find(([name]) => name === key)?.[1] : undefined;
    return there;
  });
}

test("Dialect.toBody() for the native API loses only what is documented", () => {
  fc.assert(
    fc.property(request, (body) => {
      const { metadata: _metadata, ...rest } = body;
      const context = toContext(MODELS.native);
      const { provider, ...sent } = JSON.parse(
        JSON.stringify(openrouterMessages.toBody(parseMessagesRequest(body), context)),
      );
      assert.deepEqual(provider, { order: ["anthropic"] });
      const messages = rest.messages.map((one: Wire) => ({ ...one, content: own(one) }))
        .filter(({ content }: Wire, at: number) =>
          content.length > 0 || rest.messages[at].content.length === 0
        );
      const { system, ...others } = rest;
      assert.deepEqual(sent, {
        ...others,
        ...(system && { system }),
        messages,
        model: MODELS.native,
        stream: body.max_tokens > 0,
      });
    }),
    RUNS,
  );
});

/** Returns the content that Anthropic accepts: no thinking without its signature, and calls of MCP servers as text. */
function own({ role, content }: Wire): Wire {
  if (role !== "assistant" || typeof content === "string") return content;
  return content.map((block: Wire) => block.type === "mcp_tool_use" ? describe(block) : block).filter(
    ({ type, signature, data }: Wire) => {
      if (type === "thinking") return signature && !signature.startsWith("orgw1.");
      return type !== "redacted_thinking" || !data.startsWith("orgw1.");
    },
  );
}

function describe({ name, server_name, input }: Wire): Wire {
  return {
    type: "text",
    text: `[The tool ${name} of ${server_name} was used with ${JSON.stringify(input)}]`,
  };
}

test("estimateTokens() grows with the request and is never zero", () => {
  fc.assert(
    fc.property(request, message, (body, more) => {
      const messages = body.messages.map(withoutThinking);
      const counted = parseMessagesRequest({ ...body, messages });
      const tokens = estimateTokens(counted, countByRuns);
      assert.ok(Number.isInteger(tokens) && tokens > 0, String(tokens));
      const longer = parseMessagesRequest({
        ...body,
        messages: [...messages, JSON.parse(JSON.stringify(more))],
      });
      assert.ok(estimateTokens(longer, countByRuns) > tokens);
    }),
    RUNS,
  );
});

/** Removes thinking: a later turn may reduce its count to zero, because earlier turns' thinking is not counted. */
function withoutThinking({ content, ...message }: Wire): Wire {
  if (typeof content === "string") return { ...message, content };
  return { ...message, content: content.filter(({ type }: Wire) => !/thinking/.test(type)) };
}
