import assert from "node:assert/strict";
import { after, test } from "node:test";
import {
  type Attributes,
  type Context,
  context,
  type ContextManager,
  metrics,
  propagation,
  ROOT_CONTEXT,
  type Span,
  type SpanOptions,
  trace,
  TraceFlags,
} from "@opentelemetry/api";
import { createTestGateway } from "../kit/gateway.ts";
import { parseJson } from "../kit/json.ts";
import { captureLog } from "../kit/log.ts";
import { minimalRequest } from "../kit/requests/request.ts";
import { writeChunks } from "../kit/streams.ts";
import { FakeUpstream } from "../kit/upstream.ts";

/** An ended span. */
interface Ended {
  name: string;
  kind: number | undefined;
  id: string;
  trace: string;
  parent: string | undefined;
  attributes: Attributes;
  failed: boolean;
}

const ended: Ended[] = [];
const recorded: [name: string, value: number, attributes: Attributes][] = [];
let spans = 0;

/** Starts a span that is recorded when it ends. */
function startSpan(name: string, options: SpanOptions = {}, parentContext: Context = context.active()): Span {
  const parent = trace.getSpanContext(parentContext);
  const id = (++spans).toString(16).padStart(16, "0");
  const record: Ended = {
    name,
    kind: options.kind,
    id,
    trace: parent?.traceId ?? "f".repeat(32),
    parent: parent?.spanId,
    attributes: { ...options.attributes },
    failed: false,
  };
  const span: Span = {
    spanContext: () => ({ traceId: record.trace, spanId: id, traceFlags: TraceFlags.SAMPLED }),
    setAttribute: (key, value) => (record.attributes[key] = value, span),
    setAttributes: (attributes) => (Object.assign(record.attributes, attributes), span),
    addEvent: () => span,
    addLink: () => span,
    addLinks: () => span,
    setStatus: ({ code }) => (record.failed = code === 2, span),
    updateName: (updated) => (record.name = updated, span),
    end: () => void ended.push(record),
    isRecording: () => true,
    recordException: () => {},
  };
  return span;
}

/** Keeps the active context for synchronous code, which is enough to check the parent of a span. */
class SyncContexts implements ContextManager {
  #active = ROOT_CONTEXT;
  active = () => this.#active;
  with<Args extends unknown[], Result>(
    active: Context,
    run: (...args: Args) => Result,
    thisArg?: unknown,
    ...args: Args
  ): Result {
    const before = this.#active;
    this.#active = active;
    try {
      return run.apply(thisArg as never, args);
    } finally {
      this.#active = before;
    }
  }
  bind<Target>(_context: Context, target: Target): Target {
    return target;
  }
  enable = () => this;
  disable = () => this;
}

trace.setGlobalTracerProvider({
  getTracer: () => ({ startSpan, startActiveSpan: () => assert.fail("no active spans are used") }),
});
context.setGlobalContextManager(new SyncContexts());
propagation.setGlobalPropagator({
  inject: () => {},
  extract(parent, carrier, { get }) {
    const [, traceId, spanId] = String(get(carrier, "traceparent") ?? "").split("-");
    return traceId === undefined || spanId === undefined
      ? parent
      : trace.setSpanContext(parent, { traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: true });
  },
  fields: () => ["traceparent"],
});
const instrument = (name: string) => ({
  record: (value: number, attributes: Attributes = {}) => void recorded.push([name, value, attributes]),
});
metrics.setGlobalMeterProvider({ getMeter: () => ({ createHistogram: instrument }) as never });
after(() => {
  for (const api of [trace, context, propagation, metrics]) api.disable();
});

const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const traceparent = `00-${TRACE_ID}-b7ad6b7169203331-01`;
const USAGE = { prompt_tokens: 10, completion_tokens: 5 };

test("POST /v1/messages has a span for the request and one for each turn, with the conventions of GenAI", async () => {
  ended.length = recorded.length = 0;
  const upstream = new FakeUpstream({
    body: writeChunks({ choices: [{ delta: { content: "Hi" }, finish_reason: "stop" }] }, {
      choices: [],
      usage: USAGE,
    }),
  });
  let seen: string | undefined;
  const lines = await captureLog(async () => {
    const gateway = createTestGateway({
      fetch: (input, init) => {
        if (init?.method === "POST") seen = trace.getActiveSpan()?.spanContext().traceId;
        return upstream.fetch(input, init);
      },
    });
    const headers = { traceparent, "x-session-id": "ses_1" };
    await (await gateway.post(minimalRequest("chat", { stream: true }), { headers })).text();
  });
  const [turn, request] = ended;
  assert.ok(turn !== undefined && request !== undefined && ended.length === 2);
  assert.deepEqual([request.name, request.kind, request.trace, request.parent], [
    "POST /v1/messages",
    1,
    TRACE_ID,
    "b7ad6b7169203331",
  ]);
  assert.deepEqual(request.attributes, { "http.route": "/v1/messages", "http.response.status_code": 200 });
  assert.deepEqual([turn.name, turn.kind, turn.trace, turn.parent], [
    "chat vendor/model",
    2,
    TRACE_ID,
    request.id,
  ]);
  assert.deepEqual(turn.attributes, {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openrouter",
    "gen_ai.request.model": "vendor/model",
    "gen_ai.request.max_tokens": 64,
    "gen_ai.conversation.id": "ses_1",
    "gen_ai.usage.input_tokens": 10,
    "gen_ai.usage.output_tokens": 5,
    "gen_ai.response.finish_reasons": ["end_turn"],
    "server.address": "openrouter.ai",
    "gateway.dialect": "openai",
  });
  const { traceId, spanId } = parseJson(lines.at(-1) ?? "{}");
  assert.deepEqual([traceId, spanId], [TRACE_ID, request.id]);
  assert.ok(seen === undefined || seen === TRACE_ID);
  assert.deepEqual(recorded.map(([name]) => name), [
    "gen_ai.client.operation.duration",
    "gen_ai.client.token.usage",
    "gen_ai.client.token.usage",
  ]);
  assert.deepEqual(recorded[1]?.slice(1), [10, {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openrouter",
    "gen_ai.request.model": "vendor/model",
    "server.address": "openrouter.ai",
    "gen_ai.token.type": "input",
  }]);
});

test("A failed turn marks its span, and the span has no message of the upstream", async () => {
  ended.length = 0;
  const gateway = createTestGateway({
    upstream: { status: 500, body: '{"error":{"message":"Zq7k9mXWv0aB"}}' },
  });
  await (await gateway.post(minimalRequest("chat"))).text();
  assert.deepEqual(ended.map(({ name, failed, attributes }) => [name, failed, attributes["error.type"]]), [
    ["chat vendor/model", true, "api_error"],
    ["POST /v1/messages", true, "api_error"],
  ]);
  assert.equal(JSON.stringify(ended).includes("Zq7k9mXWv0aB"), false);
});

test("A request within a span of the server has no other span", async () => {
  ended.length = 0;
  const server = startSpan("POST");
  const gateway = createTestGateway();
  const response = await context.with(
    trace.setSpan(ROOT_CONTEXT, server),
    () => gateway.get("/health"),
  );
  await response.text();
  server.end();
  assert.deepEqual(ended.map(({ name, attributes }) => [name, attributes["http.route"]]), [[
    "GET /health",
    "/health",
  ]]);
});

test("A tool that the gateway runs has a span, and so has each turn of its message", async () => {
  ended.length = 0;
  const call = {
    index: 0,
    id: "call_1",
    function: { name: "web_search", arguments: '{"query":"secret bees"}' },
  };
  const gateway = createTestGateway({
    upstream: [
      { body: writeChunks({ choices: [{ delta: { tool_calls: [call] }, finish_reason: "tool_calls" }] }) },
      { body: writeChunks({ choices: [], usage: { prompt_tokens: 5, completion_tokens: 1 } }) },
      { body: writeChunks({ choices: [{ delta: { content: "Done" }, finish_reason: "stop" }] }) },
    ],
  });
  const tools = [{ type: "web_search_20250305", name: "web_search" }];
  await (await gateway.post(minimalRequest("chat", { tools }))).text();
  const request = ended.at(-1);
  assert.deepEqual(ended.map(({ name }) => name), [
    "chat vendor/model",
    "chat anthropic/claude-haiku-5.5",
    "execute_tool WebSearch",
    "chat vendor/model",
    "POST /v1/messages",
  ]);
  for (const { parent } of ended.slice(0, -1)) assert.equal(parent, request?.id);
  assert.deepEqual(ended[2]?.attributes, {
    "gen_ai.operation.name": "execute_tool",
    "gen_ai.tool.name": "WebSearch",
  });
  assert.equal(JSON.stringify(ended).includes("bees"), false);
});
