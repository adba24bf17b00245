import { isJson, type Json } from "./json.ts";

/** What a fake upstream answers. */
export interface FakeAnswer {
  /** Whether it is the list of models that is asked for; otherwise there is none. */
  lists?: boolean;
  /** The list of models, as JSON, for an upstream that has one beside its answer. */
  models?: string | undefined;
  body: string | Uint8Array;
  status?: number;
  headers?: Record<string, string>;
  /** Where the body is cut: a piece ends before each of these offsets. In one piece where nothing is said. */
  cuts?: readonly number[];
  /** What comes after the last piece: the end, or a broken connection. */
  ending?: "close" | "break";
}

/** What reached a fake upstream. */
export interface Sent {
  url: string;
  method: string;
  headers: Headers;
  /** The body, where it was a JSON object. */
  body: Json | undefined;
}

/** A `fetch` without a network, and what was asked of it. */
export interface FakeUpstream {
  fetch: typeof fetch;
  sent: Sent[];
}

/** Creates an upstream that gives these answers, one after another; the last to whatever else it is asked. */
export function createUpstream(first: FakeAnswer, ...more: readonly FakeAnswer[]): FakeUpstream {
  const sent: Sent[] = [];
  const answers = [first, ...more];
  return {
    sent,
    fetch(input, init = {}) {
      const { method = "GET", headers, body } = init;
      const answer = answers[sent.length] ?? answers.at(-1) ?? first;
      if (method === "GET" && !answer.lists) return Promise.resolve(toList(answer));
      const json: unknown = typeof body === "string" ? JSON.parse(body) : undefined;
      sent.push({
        url: String(input),
        method,
        headers: new Headers(headers),
        body: isJson(json) ? json : undefined,
      });
      return Promise.resolve(toResponse(answer));
    },
  };
}

function toList({ models }: FakeAnswer): Response {
  const headers = { "content-type": "application/json" };
  return models === undefined ? new Response(null, { status: 404 }) : new Response(models, { headers });
}

function toResponse(answer: FakeAnswer): Response {
  const { body, status = 200, headers = { "content-type": "text/event-stream" }, cuts = [] } = answer;
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  return new Response(toStream(bytes, cuts, answer.ending ?? "close"), { status, headers });
}

function toStream(
  bytes: Uint8Array,
  cuts: readonly number[],
  ending: "close" | "break",
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const ends = [...cuts, bytes.length];
  let from = 0;
  return new ReadableStream({
    pull(controller) {
      const to = ends.shift();
      if (to === undefined) {
        if (ending === "close") controller.close();
        else controller.error(new TypeError("the connection broke"));
        return;
      }
      if (to > from) controller.enqueue(bytes.slice(from, to));
      else controller.enqueue(new Uint8Array());
      from = Math.max(from, to);
    },
  }, { highWaterMark: 0 });
}
