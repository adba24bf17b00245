import { createGateway, type Gateway } from "../../lib/gateway.ts";
import type { Settings } from "../../lib/config/settings.ts";
import { type FakeReply, FakeUpstream } from "../kit/upstream.ts";
import { writeChunk } from "../kit/streams.ts";

/** A gateway with messages of each kind: running, finished, failed, refused, with a fallback, with losses. */
export interface GatewayWithTraffic {
  gateway: Gateway;
  /** Ends the message that runs, and waits for its end. */
  endRunning(): Promise<void>;
  /** Sends a message and waits for its end. */
  send(body: object, headers?: Record<string, string>): Promise<Response>;
}

/** A long name, as models have. */
export const LONG_MODEL = "groq/meta-llama/llama-4-maverick-17b-128e-instruct-fp8";

const USAGE = {
  prompt_tokens: 148_213,
  completion_tokens: 2571,
  cost: 0.1523,
  prompt_tokens_details: { cached_tokens: 142_000 },
};

/** Creates the gateway and sends the messages. */
export async function createTraffic(settings: Settings = {}): Promise<GatewayWithTraffic> {
  let endRunning = () => {};
  const upstream = new FakeUpstream((nth) => REPLIES[nth] ?? toAnswer("Hello"));
  const encoder = new TextEncoder();
  const running = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(
        encoder.encode(writeChunk({ choices: [{ index: 0, delta: { content: "It runs" } }] })),
      );
      endRunning = () => {
        controller.enqueue(
          encoder.encode(
            writeChunk({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }], usage: USAGE }) +
              "data: [DONE]\n\n",
          ),
        );
        controller.close();
      };
    },
  });
  const REPLIES: FakeReply[] = [
    toAnswer("Hello"),
    {
      status: 529,
      headers: { "content-type": "application/json" },
      body: '{"error":{"message":"Overloaded","code":529}}',
    },
    {
      status: 529,
      headers: { "content-type": "application/json" },
      body: '{"error":{"message":"Overloaded","code":529}}',
    },
    {
      status: 529,
      headers: { "content-type": "application/json" },
      body: '{"error":{"message":"Overloaded","code":529}}',
    },
    {
      status: 503,
      headers: { "content-type": "application/json" },
      body: '{"error":{"message":"Unavailable","code":503}}',
    },
    toAnswer("From the fallback"),
    { body: running },
  ];
  const gateway = createGateway({
    settings: {
      OPENROUTER_API_KEY: "sk-or-test-0123456789",
      GATEWAY_API_KEYS: "team-web:client-key-0123456789,ci:other-key-0123456789",
      UPSTREAM_RETRIES: 0,
      ANTHROPIC_SMALL_FAST_MODEL: LONG_MODEL,
      LIMITS: { keys: { ci: { requests: 4 } } },
      MODEL_MAP: { fast: { model: "qwen/qwen3-coder", fallbacks: [LONG_MODEL] } },
      ...settings,
    } as Settings,
    fetch: upstream.fetch,
    host: "127.0.0.1",
  });
  const send = async (body: object, headers: Record<string, string> = {}) => {
    const response = await gateway.fetch(
      new Request("http://127.0.0.1/v1/messages", {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "x-api-key": "client-key-0123456789",
          "user-agent": "claude-cli/2.1.291 (external)",
          ...headers,
        },
        body: JSON.stringify({ max_tokens: 100, messages: [{ role: "user", content: "Hello" }], ...body }),
      }),
    );
    return response;
  };
  const session = { "x-claude-code-session-id": "7f3c19aa-0c7e-4f3e-8f55-b5f4ee2f8a10" };
  await (await send({ model: "openai/gpt-5", top_k: 5 }, session)).text();
  const ci = { "x-api-key": "other-key-0123456789" };
  for (let nth = 0; nth < 3; nth++) {
    await (await send({ model: "qwen/qwen3-coder-480b-a35b-instruct" }, ci)).text();
  }
  await (await send({ model: "fast" }, session)).text();
  await (await send({ model: "demo/echo" }, ci)).text();
  await (await send({ model: "demo/echo" }, ci)).text();
  await (await send({ model: "demo/echo", messages: 3 })).text();
  const response = await send({ model: "small", stream: true }, session);
  const reader = response.body?.getReader();
  await reader?.read();
  return {
    gateway,
    send,
    async endRunning() {
      endRunning();
      for (let done = false; !done;) done = (await reader?.read())?.done ?? true;
    },
  };
}

function toAnswer(content: string): FakeReply {
  return {
    body: writeChunk({ choices: [{ index: 0, delta: { content } }] }) +
      writeChunk({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }], usage: USAGE }) +
      "data: [DONE]\n\n",
  };
}
