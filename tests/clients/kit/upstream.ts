import assert from "node:assert/strict";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { setImmediate } from "node:timers/promises";
import { readSent, type Sent } from "./sent.ts";
import { refuse, type Turn, withMarks } from "../../kit/model/turns.ts";
import { writeChat, writeChatWhole } from "../../kit/model/write_chat.ts";
import { writeMessages, writeMessagesWhole } from "../../kit/model/write_messages.ts";

/** A request that reached the upstream. */
export interface ReceivedRequest {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: unknown;
  /** How the exchange ended: answered in full, or left by the gateway before that. */
  ended: Promise<"answered" | "left">;
}

/** A loopback OpenRouter that answers with the scripted turns, and records the requests. */
export interface Upstream {
  /** The value for `OPENROUTER_BASE_URL`. */
  url: string;
  /** The requests to `/chat/completions` and `/messages` since the last `verify()`. */
  received: ReceivedRequest[];
  /** Adds turns to the script: one for each request, in this order. */
  script(...turns: Turn[]): void;
  /** Sets the answer to every request after the end of the script. */
  always(turn: Turn): void;
  /** Sets a function that chooses the answer after the end of the script: for requests in no fixed order. */
  choose(choice: (sent: Sent) => Turn | Promise<Turn>): void;
  /** Resolves with the next request for an answer, when it arrives. */
  next(): Promise<ReceivedRequest>;
  /** Clears all of it. Throws if there were fewer or more requests than scripted turns. */
  verify(): void;
  close(): Promise<void>;
}

/** Every model the upstream lists; Claude Code's own ids lead to the last three. */
export const MODELS: string[] = [
  "openai/gpt-5",
  "x-ai/grok-4.1-fast",
  "anthropic/claude-sonnet-4.5",
  "anthropic/claude-opus-5.5",
  "anthropic/claude-sonnet-5.5",
  "anthropic/claude-haiku-5.5",
];

/** Starts an upstream on the loopback interface; without a port it takes a free one. */
export async function startUpstream(port = 0): Promise<Upstream> {
  let script: Turn[] = [];
  let choice: ((sent: Sent) => Turn | Promise<Turn>) | undefined;
  let unscripted = 0;
  let waiting: ((received: ReceivedRequest) => void)[] = [];
  let fault: unknown;

  const receive = async (request: IncomingMessage, response: ServerResponse) => {
    const ended = once(response, "close").then(() => response.writableFinished ? "answered" : "left");
    const path = new URL(request.url ?? "/", "http://upstream").pathname;
    const body = await readBody(request);
    if (/\/models(\/user)?$/.test(path)) return void response.end(writeModels());
    if (!/\/(chat\/completions|messages)$/.test(path)) {
      return void response.writeHead(404).end("<html>Not Found</html>");
    }
    const received = { method: request.method ?? "", path, headers: request.headers, body, ended };
    upstream.received.push(received);
    for (const resolve of waiting.splice(0)) resolve(received);
    const turn = script.shift() ?? await choice?.(readSent(received));
    if (turn === undefined) unscripted++;
    await answer(turn ?? NOT_SCRIPTED, received, response);
  };
  const server = createServer((request, response) => {
    receive(request, response).catch((error) => {
      fault = error;
      response.destroy();
    });
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");

  const upstream: Upstream = {
    url: `http://127.0.0.1:${parseAddress(server.address()).port}/api/v1`,
    received: [],
    script: (...turns) => void script.push(...turns),
    always: (turn) => void (choice = () => turn),
    choose: (chosen) => void (choice = chosen),
    next: () => new Promise((resolve) => waiting.push(resolve)),
    verify() {
      const [left, extra, wrong] = [script.length, unscripted, fault];
      [script, choice, unscripted, fault, waiting, upstream.received] = [[], undefined, 0, undefined, [], []];
      assert.ifError(wrong);
      assert.equal(left, 0, "the upstream was asked less often than scripted");
      assert.equal(extra, 0, "the upstream was asked more often than scripted");
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
  return upstream;
}

const NOT_SCRIPTED = refuse(400, "invalid_request_error", "The test has scripted no answer to this request");

async function answer(turn: Turn, { path, body }: ReceivedRequest, response: ServerResponse): Promise<void> {
  if (turn.kind === "hold") return;
  const chat = path.endsWith("/chat/completions");
  if (turn.kind === "refuse") {
    response.writeHead(turn.status, { "content-type": "application/json", ...turn.headers });
    return void response.end(JSON.stringify(chat ? turn.chat : turn.messages));
  }
  const { model, stream } = parseBody(body);
  const said = withMarks(turn, JSON.stringify(body));
  if (!stream) {
    response.writeHead(200, { "content-type": "application/json" });
    return void response.end((chat ? writeChatWhole : writeMessagesWhole)(said, model));
  }
  response.writeHead(200, {
    "content-type": "text/event-stream",
    "x-generation-id": "gen-1777319818-loopback",
  });
  const bytes = Buffer.from((chat ? writeChat : writeMessages)(said, model).join(""));
  // Odd slices, so that frames, lines and characters of several bytes all get cut somewhere.
  for (let at = 0; at < bytes.length && !response.destroyed; at += 61) {
    response.write(bytes.subarray(at, at + 61));
    await setImmediate();
  }
  if (turn.ending === "cut") response.write("", () => response.destroy());
  else if (turn.ending !== "silence") response.end();
}

function writeModels(): string {
  const data = MODELS.map((id) => ({
    id,
    canonical_slug: `${id}-20260217`,
    name: id.replace("/", ": "),
    created: 1771286400,
    description: "",
    context_length: 400000,
    architecture: {
      input_modalities: ["text", "image", "file"],
      output_modalities: ["text"],
      tokenizer: "Other",
    },
    pricing: { prompt: "0.000003", completion: "0.000015" },
    top_provider: { context_length: 400000, max_completion_tokens: 128000, is_moderated: false },
    supported_parameters: [
      "max_tokens",
      "reasoning",
      "response_format",
      "stop",
      "structured_outputs",
      "temperature",
      "tool_choice",
      "tools",
      "top_k",
      "top_p",
    ],
    reasoning: { mandatory: false },
  }));
  return JSON.stringify({ data, total_count: data.length });
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) text += chunk;
  return text === "" ? undefined : JSON.parse(text);
}

function parseBody(body: unknown): { model: string; stream: boolean } {
  assert.ok(typeof body === "object" && body !== null && "model" in body && typeof body.model === "string");
  return { model: body.model, stream: "stream" in body && body.stream === true };
}

function parseAddress(address: string | AddressInfo | null): AddressInfo {
  assert.ok(typeof address === "object" && address !== null);
  return address;
}
