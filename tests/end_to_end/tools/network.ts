import type { ExpectedCall } from "./run_calls.ts";
import type { ModelRequest } from "./model.ts";
import { dig, objects, text } from "../../kit/json.ts";
import { writePdf } from "../../kit/pdf.ts";
import { type Loopback, serve } from "../../kit/servers/web.ts";

/** The web of a test: a page, and a SearXNG that finds it. */
export interface TestWeb extends Loopback {
  /** The address of the page. */
  page: string;
  /** Returns the queries that SearXNG received. */
  searched(): string[];
  /** Resolves with the next request for a path; `left` resolves when its connection is closed. */
  next(path: string): Promise<{ left: Promise<void> }>;
}

const PAGE = `<html><head><title>On bees</title></head><body><article><h1>On bees</h1>
<p>A bee dances to tell the others where the clover is, and how far. The dance is a figure of eight.</p>
<p>Von Frisch was the first to read it, in the summer of 1944, near the shore of a lake.</p></article></body></html>`;

/** Starts the web of a test on the loopback. */
export async function startWeb(): Promise<TestWeb> {
  const waiting = new Map<string, (arrived: { left: Promise<void> }) => void>();
  const server = await serve((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://web");
    waiting.get(pathname)?.({ left: new Promise((resolve) => response.once("close", resolve)) });
    switch (pathname) {
      case "/bees":
        return void response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(PAGE);
      case "/paper":
        return void response.writeHead(200, { "content-type": "application/pdf" }).end(
          writePdf(["The hum of bees"]),
        );
      case "/away":
        return void response.writeHead(302, { location: "http://169.254.169.254/secret" }).end();
      case "/picture":
        return void response.writeHead(200, { "content-type": "image/png" }).end("x");
      case "/search":
        response.writeHead(200, { "content-type": "application/json" });
        return void response.end(JSON.stringify({ results: [...HITS, toHitOfPage(request.headers.host)] }));
      case "/slow":
        return; // no answer
      default:
        return void response.writeHead(404).end("gone");
    }
  });
  return {
    ...server,
    page: `http://${server.host}/bees`,
    next: (path) => new Promise((resolve) => waiting.set(path, resolve)),
    searched: () =>
      server.paths.filter((path) => path.startsWith("/search")).map((path) =>
        new URL(path, "http://web").searchParams.get("q") ?? ""
      ),
  };
}

/** Results of the searches in these tests. */
export const HITS: readonly { url: string; title: string; content: string }[] = [
  { url: "https://bees.example/dance", title: "The dance of bees", content: "Bees dance a figure of eight." },
  { url: "https://flowers.example/clover", title: "Clover", content: "Clover has three leaves." },
];

function toHitOfPage(host = ""): typeof HITS[number] {
  return { url: `http://${host}/bees`, title: "On bees", content: "All about bees." };
}

/** Returns the settings by which the tools reach the web of a test. */
export function toWebSettings({ host }: TestWeb, by: "searxng" | "openrouter"): Record<string, string> {
  return {
    WEB_FETCH_ALLOW_HOSTS: host,
    WEB_SEARCH: by,
    ...(by === "searxng" && { WEB_SEARCH_URL: `http://${host}` }),
  };
}

/** Returns calls of every tool that uses the web. */
export function toWebCalls({ page, host }: TestWeb): readonly ExpectedCall[] {
  return [
    {
      tool: "WebSearch",
      input: { query: "how do bees dance" },
      matches: /The dance of bees[^]*https:\/\/bees\.example/,
    },
    { tool: "WebFetch", input: { url: page }, matches: /Title: On bees[^]*figure of eight/ },
    { tool: "WebFetch", input: { url: `http://${host}/paper` }, matches: /The hum of bees/ },
    { tool: "WebFetch", input: { url: page, prompt: "Who read it first?" }, matches: /Von Frisch was it/ },
    { tool: "WebFetch", input: { url: "http://169.254.169.254/" }, matches: /^Cannot /, fails: true },
  ];
}

/** Returns the answers of the small model and of OpenRouter's search; undefined for other requests. */
export function answerSideRequest(request: ModelRequest): string | undefined {
  if (isSearch(request)) return toSearchStream();
  const { body } = request;
  const system = objects(body.messages).find(({ role }) => role === "system");
  const prompt = typeof system?.content === "string" ? system.content : text(dig(system?.content, 0, "text"));
  return prompt.startsWith("You read a web page") ? toChat("Von Frisch was it.") : undefined;
}

/** True if a request uses OpenRouter's search. */
export function isSearch({ body }: ModelRequest): boolean {
  return objects(body.tools).some(({ type }) => type === "openrouter:web_search");
}

function toChat(content: string): string {
  return toStream([
    { choices: [{ index: 0, delta: { role: "assistant", content }, finish_reason: null }] },
    {
      choices: [{ index: 0, delta: {}, finish_reason: "stop" }],
      usage: { prompt_tokens: 100, completion_tokens: 5, cost: 0.0001 },
    },
  ]);
}

/** Writes OpenRouter's stream for a search: the results are annotations. */
function toSearchStream(): string {
  const annotations = HITS.map(({ url, title, content }) => ({
    type: "url_citation",
    url_citation: { url, title, content, start_index: 0, end_index: 0 },
  }));
  return toStream([
    { choices: [{ index: 0, delta: { role: "assistant", content: "", annotations }, finish_reason: null }] },
    { choices: [{ index: 0, delta: { content: "done" }, finish_reason: "stop" }] },
    { choices: [], usage: { prompt_tokens: 900, completion_tokens: 2, cost: 0.005 } },
  ]);
}

function toStream(chunks: readonly object[]): string {
  const head = { id: "gen-1", object: "chat.completion.chunk", created: 1, model: "small" };
  return [...chunks.map((chunk) => JSON.stringify({ ...head, ...chunk })), "[DONE]"].map((data) =>
    `data: ${data}\n\n`
  ).join("");
}
