import assert from "node:assert/strict";
import * as v from "valibot";
import { parseConfig } from "../../../lib/config/parse.ts";
import type { Settings } from "../../../lib/config/settings.ts";
import { createGatewayContext } from "../../../lib/server/create_context.ts";
import { createApp } from "../../../lib/server/app.ts";
import type { GatewayContext } from "../../../lib/server/context.ts";
import type { AuditRecord, ToolLimits } from "../../../tools/toolbox/call_runner.ts";
import { defineTool, type Tool } from "../../../tools/tool.ts";
import { FakeClock } from "../../kit/clock.ts";
import type { Wire } from "../../kit/json.ts";
import { createTestToolbox, echo, fail, show } from "../../server_tools/scripted_model.ts";

export const ALICE = "key-of-alice-1234567890";
export const BOB = "key-of-bob-0987654321";

/** Parameters of `initialize`. */
export const INITIALIZE = {
  protocolVersion: "2025-11-25",
  capabilities: {},
  clientInfo: { name: "test", version: "1" },
};

/** The envelope of a request in protocol version 2026-07-28. */
export const ENVELOPE = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientInfo": { name: "test", version: "1" },
  "io.modelcontextprotocol/clientCapabilities": {},
};

/** A tool whose calls end only when they are cancelled. */
export interface SlowTool {
  tool: Tool;
  /** Waits until this number of calls run. */
  running(count: number): Promise<void>;
  /** Number of calls that were cancelled. */
  cancelled(): number;
}

/** Creates a tool that waits until its call is cancelled. */
export function createSlowTool(): SlowTool {
  let started = 0;
  let cancelled = 0;
  const waiters: { count: number; resolve: () => void }[] = [];
  return {
    cancelled: () => cancelled,
    running: (count) =>
      new Promise((resolve) => {
        if (started >= count) resolve();
        else waiters.push({ count, resolve });
      }),
    tool: defineTool({
      name: "Slow",
      description: "Waits.",
      input: v.object({}),
      run: (_input, { signal }) => {
        started++;
        for (const { resolve } of waiters.filter(({ count }) => started >= count)) resolve();
        return new Promise((_resolve, reject) =>
          signal.addEventListener("abort", () => {
            cancelled++;
            reject(signal.reason);
          })
        );
      },
    }),
  };
}

/** A tool that returns a PDF. */
export const paper: Tool = defineTool({
  name: "Paper",
  description: "Shows a PDF.",
  hints: { readOnly: true, openWorld: false },
  input: v.object({}),
  run: async () => [{
    type: "document",
    source: { type: "base64", media_type: "application/pdf", data: "JVBERi0=" },
    title: "a folder/ä.pdf",
  }],
});

/** A tool that adds a word to the list of its session, and returns the list. */
export const note: Tool = defineTool({
  name: "Note",
  description: "Notes a word.",
  hints: { readOnly: false, destructive: false, idempotent: false, openWorld: true },
  input: v.object({ word: v.string() }),
  async run({ word }, { session }) {
    session.seen.set(word, "");
    return [...session.seen.keys()].join(" ");
  },
});

/** A tool with a defect. */
export const broken: Tool = defineTool({
  name: "Broken",
  description: "Has a defect.",
  input: v.object({}),
  run: () => Promise.reject(new Error("secret of the gateway")),
});

/** A tool that needs a conversation. */
export const nested: Tool = defineTool({
  name: "Task",
  description: "Runs a subagent.",
  nested: true,
  input: v.object({}),
  run: async () => "done",
});

/** A gateway with the tools of a test. */
export interface McpGateway {
  clock: FakeClock;
  context: GatewayContext;
  audit: AuditRecord[];
  fetch(request: Request): Promise<Response>;
  /** Posts JSON-RPC messages to `/mcp`; a string is sent as it is. */
  post(body: unknown, options?: PostOptions): Promise<Response>;
  /** Posts a request, and returns its one response. */
  ask(method: string, params?: object, options?: PostOptions): Promise<Wire>;
  /** Calls a tool. */
  call(name: string, input?: object, options?: PostOptions): Promise<Wire>;
  /** Initializes a session, and returns its header. */
  connect(key?: string): Promise<Record<string, string>>;
}

/** Parts of a request to `/mcp`. */
export interface PostOptions {
  headers?: Record<string, string>;
  signal?: AbortSignal;
  id?: number | string;
}

/** Creates a gateway whose tools have no files, shell or web. */
export function createMcpGateway(
  { tools = [echo, fail, show, paper, note, broken, nested], settings = {}, limits = {}, host }: {
    tools?: readonly Tool[];
    settings?: Settings;
    limits?: Partial<ToolLimits>;
    host?: string;
  } = {},
): McpGateway {
  const { toolbox, audit } = createTestToolbox(tools, limits);
  const clock = new FakeClock();
  const config = parseConfig({
    settings: { GATEWAY_API_KEYS: `alice:${ALICE},bob:${BOB}`, LOG_LEVEL: "off", ...settings },
  });
  const context = {
    ...createGatewayContext(config, { clock, host, fetch: () => Promise.reject(new Error("no upstream")) }),
    loadToolbox: () => Promise.resolve(toolbox),
  };
  const answer = createApp(context);
  const gateway: McpGateway = {
    clock,
    context,
    audit,
    fetch: answer,
    post: (body, options) => answer(toPost(body, options)),
    async ask(method, params = {}, { id = 1, ...options } = {}) {
      const messages = await readMessages(
        await gateway.post({ jsonrpc: "2.0", id, method, params }, options),
      );
      assert.equal(messages.length, 1);
      return messages[0];
    },
    call: (name, input = {}, options) => gateway.ask("tools/call", { name, arguments: input }, options),
    async connect(key = ALICE) {
      const headers = { "x-api-key": key };
      const body = { jsonrpc: "2.0", id: 0, method: "initialize", params: INITIALIZE };
      const response = await gateway.post(body, { headers });
      await response.text();
      return { ...headers, "mcp-session-id": response.headers.get("mcp-session-id") ?? "" };
    },
  };
  return gateway;
}

/** Creates a request that posts to `/mcp`. */
export function toPost(body: unknown, { headers = {}, signal }: PostOptions = {}): Request {
  return new Request("http://gateway.test/mcp", {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "x-api-key": ALICE,
      ...headers,
    },
    body: typeof body === "string" ? body : JSON.stringify(body),
    ...(signal !== undefined && { signal }),
  });
}

/** Reads the JSON-RPC messages of a response. */
export async function readMessages(response: Response): Promise<Wire[]> {
  const text = await response.text();
  if (response.headers.get("content-type") !== "text/event-stream") {
    return text === "" ? [] : [JSON.parse(text)];
  }
  assert.ok(text === "" || text.endsWith("\n\n"), "the stream ends in the middle of a frame");
  return text.split("\n\n").filter((frame) => frame !== "" && !frame.startsWith(":")).map((frame) => {
    const [, json = ""] = /^event: message\ndata: (.*)$/.exec(frame) ?? [];
    return JSON.parse(json);
  });
}
