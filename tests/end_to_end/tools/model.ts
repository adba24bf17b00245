import { isJson, type Json, objects, text } from "../../kit/json.ts";
import { refuse, type Turn } from "../../clients/turns.ts";
import { writeChat } from "../../clients/write_chat.ts";
import { writeMessages } from "../../clients/write_messages.ts";

/** A way from the gateway to a model. */
export interface Road {
  name: "translated" | "native";
  model: string;
  /** Where the upstream is asked. */
  path: string;
  /** How ids of calls begin that this upstream gives, and those that the client then sees. */
  ids: { upstream: string; mcp: string; server: string };
}

export const TRANSLATED: Road = {
  name: "translated",
  model: "openai/gpt-5",
  path: "/chat/completions",
  ids: { upstream: "call_", mcp: "mcptoolu_gw_call_", server: "srvtoolu_gw_call_" },
};
export const NATIVE: Road = {
  name: "native",
  model: "anthropic/claude-sonnet-4.5",
  path: "/messages",
  ids: { upstream: "toolu_", mcp: "mcptoolu_", server: "srvtoolu_" },
};
export const ROADS: readonly Road[] = [TRANSLATED, NATIVE];

/** The model that `small` means. */
export const SMALL = "openai/gpt-5-mini";

/** A request that reached the upstream. */
export interface Asked {
  path: string;
  body: Json;
  /** Fires when the gateway gives the request up. */
  signal: AbortSignal | undefined;
}

/** An upstream without a network whose model says what is scripted. */
export interface ScriptedModel {
  fetch: typeof fetch;
  /** What was asked, turns and all else. */
  asked: Asked[];
  /** Says these turns, one a request, in this order. */
  script(...turns: readonly Turn[]): void;
  /** Says something else to requests that it is chosen for; they take no turn of the script. */
  choose(choice: (asked: Asked) => Turn | string | undefined): void;
  /** How many turns of the script are left. */
  readonly left: number;
  /** The next request, as soon as it is here. */
  next(): Promise<Asked>;
}

/** Creates a model that has nothing to say as yet. */
export function createModel(): ScriptedModel {
  const asked: Asked[] = [];
  const turns: Turn[] = [];
  const waiting: ((asked: Asked) => void)[] = [];
  let choose: (asked: Asked) => Turn | string | undefined = () => undefined;
  return {
    asked,
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
      asked.push(one);
      for (const resolve of waiting.splice(0)) resolve(one);
      const turn = choose(one) ?? turns.shift() ??
        refuse(400, "invalid_request_error", "The test has scripted no answer");
      return answer(turn, one);
    },
  };
}

const MODELS = [TRANSLATED.model, NATIVE.model, SMALL];

function answer(turn: Turn | string, { path, body, signal }: Asked): Promise<Response> {
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
  const frames = (chat ? writeChat : writeMessages)(turn, text(body.model));
  return Promise.resolve(new Response(frames.join(""), { headers }));
}

/** A tool's result as the upstream is told it. */
export interface ToldResult {
  id: string;
  text: string;
}

/** Reads from a request what results the model was told, in their order, in either language. */
export function toldResults({ path, body }: Asked): ToldResult[] {
  const messages = objects(body.messages);
  return path === TRANSLATED.path
    ? messages.filter(({ role }) => role === "tool").map(({ tool_call_id, content }) => ({
      id: text(tool_call_id),
      text: toText(content),
    }))
    : messages.flatMap(({ content }) => objects(content)).filter(({ type }) => type === "tool_result").map(
      ({ tool_use_id, content }) => ({ id: text(tool_use_id), text: toText(content) }),
    );
}

/** Reads from a request which tools the model was offered. */
export function offeredNames({ path, body }: Asked): string[] {
  return objects(body.tools).map((tool) => {
    const { name } = path === TRANSLATED.path && isJson(tool.function) ? tool.function : tool;
    return text(name);
  });
}

/** All that a request says, as text. */
export function toText(content: unknown): string {
  if (typeof content === "string") return content;
  return objects(content).map((part) => text(part.text)).join("");
}
