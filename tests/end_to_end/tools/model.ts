import { refuse, type Turn, withMarks } from "../../kit/model/turns.ts";
import { writeChat } from "../../kit/model/write_chat.ts";
import { writeMessages } from "../../kit/model/write_messages.ts";
import { removeFences } from "../../../lib/dialects/fence.ts";
import { isJson, type Json, objects, text } from "../../kit/json.ts";

/** The API by which the gateway reaches a model. */
export interface ModelApi {
  name: "translated" | "native";
  model: string;
  /** The path of the upstream's endpoint. */
  path: string;
  /** The prefixes of the call ids of the upstream, and of those that the client receives. */
  ids: { upstream: string; mcp: string; server: string };
}

export const TRANSLATED: ModelApi = {
  name: "translated",
  model: "openai/gpt-5",
  path: "/chat/completions",
  ids: { upstream: "call_", mcp: "mcptoolu_gw_call_", server: "srvtoolu_gw_call_" },
};
export const NATIVE: ModelApi = {
  name: "native",
  model: "anthropic/claude-sonnet-4.5",
  path: "/messages",
  ids: { upstream: "toolu_", mcp: "mcptoolu_", server: "srvtoolu_" },
};
export const MODEL_APIS: readonly ModelApi[] = [TRANSLATED, NATIVE];

/** The model behind the alias `small`. */
export const SMALL = "openai/gpt-5-mini";

/** A request that reached the upstream. */
export interface ModelRequest {
  path: string;
  body: Json;
  /** Fires when the gateway cancels the request. */
  signal: AbortSignal | undefined;
}

/** A scripted model behind a `fetch` without a network. */
export interface ScriptedModel {
  fetch: typeof fetch;
  /** The requests, turns and others. */
  requests: ModelRequest[];
  /** Adds turns, one for each request, in this order. */
  script(...turns: readonly Turn[]): void;
  /** Answers some requests without a turn of the script. */
  choose(choice: (request: ModelRequest) => Turn | string | undefined): void;
  /** The number of turns left. */
  readonly left: number;
  /** Resolves with the next request. */
  next(): Promise<ModelRequest>;
}

/** Creates a model without a script. */
export function createModel(): ScriptedModel {
  const requests: ModelRequest[] = [];
  const turns: Turn[] = [];
  const waiting: ((request: ModelRequest) => void)[] = [];
  let choose: (request: ModelRequest) => Turn | string | undefined = () => undefined;
  return {
    requests,
    script: (...more) => void turns.push(...more),
    choose: (choice) => void (choose = choice),
    get left() {
      return turns.length;
    },
    next: () => new Promise((resolve) => waiting.push(resolve)),
    fetch(input, { method = "GET", body, signal } = {}) {
      if (method === "GET") return Promise.resolve(Response.json({ data: MODELS.map((id) => ({ id })) }));
      const json: unknown = typeof body === "string" ? JSON.parse(body) : undefined;
      const { pathname } = new URL(String(input));
      const one = {
        path: pathname.slice("/api/v1".length),
        body: isJson(json) ? json : {},
        signal: signal ?? undefined,
      };
      requests.push(one);
      for (const resolve of waiting.splice(0)) resolve(one);
      const turn = choose(one) ?? turns.shift() ??
        refuse(400, "invalid_request_error", "The test has scripted no answer");
      return answer(turn, one);
    },
  };
}

const MODELS = [TRANSLATED.model, NATIVE.model, SMALL];

function answer(turn: Turn | string, { path, body, signal }: ModelRequest): Promise<Response> {
  const headers = { "content-type": "text/event-stream" };
  if (typeof turn === "string") return Promise.resolve(new Response(turn, { headers }));
  if (turn.kind === "hold") {
    return new Promise((_resolve, reject) =>
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true })
    );
  }
  const chat = path === TRANSLATED.path;
  if (turn.kind === "refuse") {
    const { status } = turn;
    return Promise.resolve(
      Response.json(chat ? turn.chat : turn.messages, { status, headers: turn.headers }),
    );
  }
  const marked = withMarks(turn, JSON.stringify(body));
  const frames = (chat ? writeChat : writeMessages)(marked, text(body.model));
  return Promise.resolve(new Response(frames.join(""), { headers }));
}

/** A tool result that the upstream receives. */
export interface SentResult {
  id: string;
  text: string;
}

/** Returns the tool results in a request of either API, in order, without their fences. */
export function resultsSentIn({ path, body }: ModelRequest): SentResult[] {
  const messages = objects(body.messages);
  return path === TRANSLATED.path
    ? messages.filter(({ role }) => role === "tool").map(({ tool_call_id, content }) => ({
      id: text(tool_call_id),
      text: removeFences(toText(content)),
    }))
    : messages.flatMap(({ content }) => objects(content)).filter(({ type }) => type === "tool_result").map(
      ({ tool_use_id, content }) => ({ id: text(tool_use_id), text: removeFences(toText(content)) }),
    );
}

/** Returns the names of the tools in a request. */
export function offeredNames({ path, body }: ModelRequest): string[] {
  return objects(body.tools).map((tool) => {
    const { name } = path === TRANSLATED.path && isJson(tool.function) ? tool.function : tool;
    return text(name);
  });
}

/** Joins the text of content. */
export function toText(content: unknown): string {
  if (typeof content === "string") return content;
  return objects(content).map((part) => text(part.text)).join("");
}
