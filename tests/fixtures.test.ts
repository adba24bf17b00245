import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { parseMessagesRequest } from "../lib/anthropic/parse.ts";
import { estimateTokens } from "../lib/tokens/estimate.ts";
import { countByLength } from "../lib/tokens/text.ts";
import { everyByte } from "./kit/bytes.ts";
import { FakeClock } from "./kit/clock.ts";
import { hasCues, replayCues } from "./kit/cues.ts";
import { foldEvents, parseEvents } from "./kit/events.ts";
import { createTestGateway, type TestGatewayOptions } from "./kit/gateway.ts";
import { checkComplete } from "./kit/grammar.ts";
import { type Json, objects, parseJson } from "./kit/json.ts";
import { type FakeResponse, FakeUpstream } from "./kit/upstream.ts";

/**
 * Every folder of `tests/fixtures/` is a case. These files are written by hand, if the case needs them:
 *
 * - `request.json`: the client's request; `request.head`: its headers, one a line; `request.line`: its method and path
 *   (default: `POST /v1/messages`);
 * - `settings.json`: the gateway's settings beside a key;
 * - `models.json`: the upstream's list of models;
 * - `upstream.sse`, `.json` or `.html`: the upstream's response; `upstream.head`: its status, then its headers. Several
 *   responses are `upstream.1.sse`, `upstream.2.json` and so on.
 * - `next.json`: the fields of a second request that differ from the first; its `messages` are appended to those of the
 *   first and the answer; `next.upstream.sse`: the upstream's response to it.
 *
 * In `upstream.sse`, the upstream pauses at the line `: silence of 25 s`; at `: the client leaves` the client
 * disconnects.
 *
 * `UPDATE_FIXTURES=1` writes the other files. Check them before a commit: `sent.json` and `sent.head`, the body and the
 * headers that reached the upstream, numbered in the same way; `sent.end`, the end of its stream if it has such a line;
 * `answer.sse` or `answer.json`, and `answer.head`; `next.sent.json` and `next.head` for the second request. Ids of the
 * gateway are replaced by numbers, and its estimate of the request's tokens by `(estimate)`.
 */
const ROOT = fileURLToPath(new URL("./fixtures/", import.meta.url));
const UPDATE = Boolean(process.env.UPDATE_FIXTURES);

const TYPES = { sse: "text/event-stream", json: "application/json", html: "text/html; charset=utf-8" };

/** The headers that are compared. The others are the same in each case. */
const SENT = ["authorization", "x-api-key", "api-key", "anthropic-version", "anthropic-beta"];
const RECEIVED = [
  "content-type",
  "retry-after",
  "x-should-retry",
  "x-gateway-model",
  "x-gateway-loss",
  "x-token-count-source",
  "x-token-count-cost",
];

for (const name of readdirSync(ROOT)) {
  test(`fixture ${name}`, async () => {
    const folder = join(ROOT, name);
    const request = parseJson(read(folder, "request.json") ?? "{}");
    const upstream = createFixtureUpstream(folder);
    const { response, text: answer, end } = await replay(folder, request, upstream);
    const streamed = response.headers.get("content-type")?.startsWith("text/event-stream");
    const steady = toSteady(answer, request, upstream);
    const turns = toTurns(folder, "upstream");
    assert.ok(
      upstream.requests.length <= turns.length,
      "the upstream received more requests than it has responses",
    );

    turns.forEach((turn, at) => {
      const sent = upstream.requests[at];
      compare(folder, `sent${turn}.head`, sent && toHead(`${sent.method} ${sent.url}`, sent.headers, SENT));
      compare(folder, `sent${turn}.json`, sent && toText(sent.body));
    });
    compare(folder, "sent.end", end && `${end}\n`);
    compare(folder, "answer.head", toHead(String(response.status), response.headers, RECEIVED));
    compare(folder, "answer.sse", streamed ? steady : undefined);
    compare(folder, "answer.json", streamed ? undefined : toText(parseJson(steady)));
    if (streamed && end === undefined) await checkStream(folder, request, { answer, steady });
    if (streamed && end === "read") checkComplete(parseEvents(answer));

    const next = toNext(folder, request, streamed ? foldEvents(parseEvents(answer)) : parseJson(answer));
    const after = createFixtureUpstream(folder, undefined, "next.upstream");
    const following = next && await send(folder, next, after);
    compare(folder, "next.sent.json", next && toSteady(toText(after.requests[0]?.body), request, after));
    compare(folder, "next.head", following && toHead(String(following.status), following.headers, RECEIVED));
  });
}

/** Sends the request. The upstream stalls and the client disconnects at the cues of the fixture. */
async function replay(folder: string, request: Json, upstream: FakeUpstream) {
  const script = read(folder, "upstream.sse") ?? "";
  if (!hasCues(script)) {
    const response = await send(folder, request, upstream);
    return { response, text: await response.text(), end: undefined };
  }
  const clock = new FakeClock();
  return await replayCues(script, {
    clock,
    send(body) {
      const fetch: FakeUpstream["fetch"] = async (input, init) => {
        const { status, headers } = await upstream.fetch(input, init);
        return new Response(init?.method === "POST" ? body : null, { status, headers });
      };
      return send(folder, request, upstream, { fetch, clock });
    },
  });
}

/** Returns the second request: the messages of the first one, the answer, and the new messages. */
function toNext(folder: string, request: Json, { content }: Json): Json | undefined {
  const next = read(folder, "next.json");
  if (next === undefined) return undefined;
  const { messages, ...fields } = parseJson(next);
  const answer = { role: "assistant", content };
  return {
    ...request,
    ...fields,
    messages: [...objects(request.messages), answer, ...objects(messages)],
  };
}

/** Checks that a stream is valid, does not depend on the upstream's chunks, and equals the answer without streaming. */
async function checkStream(
  folder: string,
  request: Json,
  { answer, steady }: { answer: string; steady: string },
): Promise<void> {
  const events = parseEvents(answer);
  const ending = checkComplete(events);
  const cut = createFixtureUpstream(folder, everyByte);
  const inBytes = await send(folder, request, cut);
  assert.equal(toSteady(await inBytes.text(), request, cut), steady, "byte by byte");
  if (ending === "error") return;
  const single = createFixtureUpstream(folder);
  const whole = await send(folder, { ...request, stream: false }, single);
  const folded = toSteady(JSON.stringify(foldEvents(events)), request, single);
  assert.deepEqual(parseJson(toSteady(await whole.text(), request, single)), parseJson(folded));
}

function send(
  folder: string,
  request: Json,
  upstream: FakeUpstream,
  options: Pick<TestGatewayOptions, "fetch" | "clock"> = {},
): Promise<Response> {
  const settings = parseJson(read(folder, "settings.json") ?? "{}");
  const headers = toHeaders(read(folder, "request.head")?.trimEnd().split("\n") ?? []);
  const [method, path = "/v1/messages"] = read(folder, "request.line")?.trimEnd().split(" ") ?? [];
  const gateway = createTestGateway({ settings, upstream, ...options });
  return method === "GET" ? gateway.get(path, headers) : gateway.post(request, { path, headers });
}

function createFixtureUpstream(
  folder: string,
  cut: (size: number) => number[] = () => [],
  name = "upstream",
): FakeUpstream {
  const replies = toTurns(folder, name).map((turn) => toReply(folder, `${name}${turn}`, cut));
  return new FakeUpstream(replies, { models: read(folder, "models.json") });
}

/** Returns the suffix of the files of each turn, such as `.1`: empty if there is only one. */
function toTurns(folder: string, name: string): string[] {
  const numbered = readdirSync(folder).filter((file) => file.startsWith(`${name}.`)).map((file) =>
    /^(\.\d)\.(sse|json|html)$/.exec(file.slice(name.length))?.[1] ?? ""
  );
  const turns = [...new Set(numbered)].filter((turn) => turn !== "").sort();
  return turns.length === 0 ? [""] : turns;
}

function toReply(folder: string, name: string, cut: (size: number) => number[]): FakeResponse {
  for (const [ending, type] of Object.entries(TYPES)) {
    const text = read(folder, `${name}.${ending}`);
    if (text === undefined) continue;
    const body = new TextEncoder().encode(text);
    const [status, ...headers] = read(folder, `${name}.head`)?.trimEnd().split("\n") ?? ["200"];
    return {
      body,
      cuts: cut(body.length),
      status: Number(status),
      headers: { "content-type": type, ...toHeaders(headers) },
    };
  }
  return { body: "the fixture has no response", status: 500 };
}

function toHeaders(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(lines.map((line) => {
    const [name = "", ...value] = line.split(": ");
    return [name, value.join(": ")];
  }));
}

function toHead(first: string, headers: Headers, names: readonly string[]): string {
  const given = names.map((name) => [name, headers.get(name)]).filter(([, value]) => value !== null);
  // Bun adds the charset to JSON, Node and Deno do not.
  const lines = given.map((line) => line.join(": ").replace(/; ?charset=utf-8$/, ""));
  return [first, ...lines].join("\n") + "\n";
}

/** Replaces the gateway's ids by numbers, each kind from 1 on, and its estimate by `(estimate)`. */
function toSteady(answer: string, request: Json, { requests }: FakeUpstream): string {
  const models = [request.model, ...requests.map(({ body }) => body.model)];
  const guesses = new Set(models.map((model) => guess({ ...request, model })));
  const numbers = new Map<string, string>();
  const kinds = new Map<string, number>();
  const named = answer.replaceAll(
    new RegExp(`"input_tokens":(?:${[...guesses].join("|")})\\b`, "g"),
    '"input_tokens":"(estimate)"',
  );
  return named.replace(
    /\b(msg_|req_|(?:srv|mcp)?toolu_)[A-Za-z0-9]{24}\b|\b(toolu_gw)[A-Za-z0-9]{8}(?=_)/g,
    (id, ...kind) => {
      const prefix = String(kind[0] ?? kind[1]);
      const known = numbers.get(id);
      if (known !== undefined) return known;
      const number = (kinds.get(prefix) ?? 0) + 1;
      kinds.set(prefix, number);
      numbers.set(id, `${prefix}${number}`);
      return `${prefix}${number}`;
    },
  );
}

/**
 * Returns the gateway's estimate of a request's tokens, which depends on the family of the model; 0 if it is invalid.
 */
function guess(request: Json): number {
  const whole = "max_tokens" in request && objects(request.messages).length > 0;
  return whole ? estimateTokens(parseMessagesRequest(request), countByLength) : 0;
}

function compare(folder: string, name: string, actual: string | undefined): void {
  const path = join(folder, name);
  if (UPDATE) {
    if (actual === undefined) rmSync(path, { force: true });
    else writeFileSync(path, actual);
  }
  assert.deepEqual(toValue(actual), toValue(read(folder, name)), name);
}

/** Parses JSON, so that it is compared as a value. */
function toValue(content: string | undefined): unknown {
  return content?.startsWith("{") ? parseJson(content) : content;
}

function read(folder: string, name: string): string | undefined {
  const path = join(folder, name);
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}

function toText(value: unknown): string {
  return JSON.stringify(value, null, 2) + "\n";
}
