import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { askGateway, createTestGateway } from "../kit/ask.ts";
import { toldByChunks } from "../kit/completion.ts";
import { readCorpus, type Recording } from "../kit/corpus.ts";
import { parseEvents } from "../kit/events.ts";
import { readFrames } from "../kit/frames.ts";
import { dig, isJson, type Json, objects, text } from "../kit/json.ts";
import { assertLegal } from "../kit/legal.ts";
import { createRandom, everyByte, pickCuts } from "../kit/random.ts";
import { foldEvents, type Told, toldByMessage } from "../kit/answer_text.ts";
import { createUpstream, type FakeUpstream } from "../kit/upstream.ts";

/** Set `SEED` to cut at other places. */
const SEED = Number(process.env.SEED ?? 20261124);

/** Up to this size a stream is also fed one byte at a time. */
const SMALL = 8 * 1024;

/** How an answer fails: with this status, or with `event: error` where a stream has begun already. */
interface Failure {
  type: string;
  status: number;
}

/** Recordings that do not simply say one message to its end. */
const PECULIAR: Record<string, { why: string; failure?: Failure }> = {
  "850c7e": { why: "cut by a bare line `error:`", failure: { type: "api_error", status: 502 } },
  "391692": {
    why: "an error body, filed under 200",
    failure: { type: "invalid_request_error", status: 400 },
  },
  "75a9fb": {
    why: "a call that the model got wrong, filed under 400: no request was at fault",
    failure: { type: "api_error", status: 502 },
  },
  "334ea7": { why: "an error after `length`: cut by its limit, which is no failure" },
  "321511": { why: "several messages in one file: the first is the answer" },
  "7044ec": { why: "message_start comes twice: once is enough" },
};

const ERROR_TYPES: Record<number, string> = {
  400: "invalid_request_error",
  401: "authentication_error",
  404: "not_found_error",
};

const recordings = readCorpus();
const rows: string[] = [];
let runs = 0;

if (recordings === undefined) {
  const skip = "there is no ../shared/corpus beside this checkout";
  console.log(`corpus: skipped, for ${skip}`);
  test("the gateway retells what was recorded", { skip }, () => {});
} else {
  for (const recording of recordings) {
    test(`the gateway retells ${recording.file}`, async () => {
      rows.push(toRow(recording, await play(recording)));
    });
  }
  test("the gateway has been shown the whole corpus", () => {
    const streams = recordings.filter(({ streamed }) => streamed).length;
    console.log(rows.join("\n"));
    console.log(
      `corpus: ${rows.length} of ${recordings.length} files, ${streams} of them streams, ${runs} answers, seed ${SEED}`,
    );
    assert.equal(rows.length, recordings.length);
    const ids = recordings.map(({ id }) => id);
    assert.deepEqual(Object.keys(PECULIAR).filter((id) => !ids.includes(id)), []);
  });
}

/** What is to be said, and how it ends where it is not said to its end. */
interface Expected {
  told: Told;
  /** The whole message, where it is Anthropic's own: not a field of it may be lost. */
  message?: Json;
  failure?: Failure | undefined;
}

/** What became of a recording, for its line of the table. */
interface Outcome {
  events?: number;
  told?: Told;
  result: string;
}

async function play(recording: Recording): Promise<Outcome> {
  const { kind, streamed } = recording;
  const bytes = recording.read();
  if (kind === "models.list") return await playModels(recording);
  if (kind === "anthropic.count_tokens") return { result: "a count, no answer" };
  const expected = streamed ? expectStream(recording, bytes) : expectWhole(recording, bytes);
  let events: number | undefined;
  for (const [way, body, cuts] of toWays(bytes, streamed)) {
    const create = () => createUpstream({ body, cuts, ...toHead(recording) });
    try {
      events = await checkStreamed(recording, create(), expected) ?? events;
      await checkWhole(recording, create(), expected);
    } catch (cause) {
      const said = cause instanceof Error ? cause.message : cause;
      throw new Error(`${recording.file}, ${way}, SEED=${SEED}: ${said}`, { cause });
    }
  }
  const { failure, told } = expected;
  return { events, told, result: failure ? `fails as ${failure.type}` : `retold, ${told.stop}` };
}

/** Every model of the upstream's list is on the gateway's. */
async function playModels(recording: Recording): Promise<Outcome> {
  const body = recording.read();
  const { fetch } = createUpstream({ lists: true, body, ...toHead(recording) });
  const request = new Request("http://gateway.test/v1/models?limit=1000", {
    headers: { "anthropic-version": "2023-06-01" },
  });
  const response = await createTestGateway({ fetch }).fetch(request);
  const listed = objects(parse(await response.text()).data).map(({ id }) => id);
  const models = objects(parse(new TextDecoder().decode(body)).data).map(({ id }) => id);
  assert.deepEqual(models.filter((id) => !listed.includes(id)), []);
  assert.ok(models.length > 0);
  return { result: `${models.length} models listed` };
}

/** The ways a body reaches the gateway: its pieces, and the ends of its lines. */
function* toWays(bytes: Uint8Array, streamed: boolean): Generator<[string, Uint8Array, number[]]> {
  const random = createRandom(SEED);
  const crlf = new TextEncoder().encode(new TextDecoder().decode(bytes).replaceAll(/\r?\n/g, "\r\n"));
  const bodies = streamed ? Object.entries({ LF: bytes, CRLF: crlf }) : [["JSON", bytes] as const];
  for (const [lines, body] of bodies) {
    yield [`${lines} whole`, body, []];
    const rounds = streamed ? 3 : 1;
    for (let round = 1; round <= rounds; round++) {
      yield [`${lines} cut ${round}`, body, pickCuts(random, body.length)];
    }
    if (streamed && body.length <= SMALL) yield [`${lines} by bytes`, body, everyByte(body.length)];
  }
}

function toHead({ streamed, status }: Recording) {
  return { status, headers: { "content-type": streamed ? "text/event-stream" : "application/json" } };
}

/** Asks as a client that streams; gives the number of events. */
async function checkStreamed(
  recording: Recording,
  upstream: FakeUpstream,
  { told, message, failure }: Expected,
): Promise<number | undefined> {
  const response = await ask(recording, upstream, true);
  if (failure && !recording.streamed) {
    await checkFailure(response, failure);
    return undefined;
  }
  assert.equal(response.status, 200);
  const events = parseEvents(await response.text());
  const ending = assertLegal(events);
  const answer = foldEvents(events);
  if (failure) {
    assert.equal(ending, "error");
    assert.equal(dig(events.at(-1)?.data, "error", "type"), failure.type);
    const { text, thinking } = toldByMessage(answer);
    assert.deepEqual({ text, thinking }, { text: told.text, thinking: told.thinking });
    return events.length;
  }
  assert.equal(ending, "message_stop");
  checkMessage(answer, told, message);
  return events.length;
}

/** Asks as a client that does not stream. */
async function checkWhole(
  recording: Recording,
  upstream: FakeUpstream,
  { told, message, failure }: Expected,
): Promise<void> {
  const response = await ask(recording, upstream, false);
  if (failure) return await checkFailure(response, failure);
  assert.equal(response.status, 200);
  checkMessage(parse(await response.text()), told, message);
}

async function checkFailure(response: Response, { type, status }: Failure): Promise<void> {
  const body = parse(await response.text());
  assert.equal(response.status, status);
  assert.equal(body.type, "error");
  assert.equal(dig(body, "error", "type"), type);
  assert.ok(text(dig(body, "error", "message")).length > 0);
  assert.equal(body.request_id, response.headers.get("request-id"));
}

function checkMessage(answer: Json, told: Told, message: Json | undefined): void {
  const { usage, ...said } = toldByMessage(answer);
  const { usage: counted, ...expected } = told;
  assert.deepEqual(said, expected);
  if (counted) assert.deepEqual(usage, counted);
  else assert.ok(usage && usage.input > 0 && usage.output > 0, "nobody counted, and nothing was estimated");
  if (message) assert.deepEqual(withoutNames(answer), withoutNames(message));
}

function ask({ kind, stopSequences }: Recording, upstream: FakeUpstream, stream: boolean): Promise<Response> {
  runs++;
  const native = kind === "anthropic.messages";
  const request = {
    // The thinking of Claude passes as it is, that of others is sealed.
    model: native ? "anthropic/claude-recorded" : "recorded/model",
    max_tokens: 1000,
    stream,
    messages: [{ role: "user", content: "Say it again" }],
    ...(stopSequences.length > 0 && { stop_sequences: stopSequences }),
  };
  const settings = { UPSTREAM_DIALECT: native ? "anthropic" as const : "openai" as const };
  return askGateway(request, { fetch: upstream.fetch, settings });
}

/** Reads, apart from the gateway, what a recorded stream says. */
function expectStream({ id, kind, stopSequences }: Recording, bytes: Uint8Array): Expected {
  const { failure } = PECULIAR[id] ?? {};
  const frames = readFrames(new TextDecoder().decode(bytes)).filter(({ data }) => data !== "[DONE]");
  if (kind !== "anthropic.messages") {
    const chunks = frames.filter(({ event }) => event !== "error").map(({ data }) => parse(data));
    return { told: toldByChunks(chunks), failure };
  }
  const events = frames.map(({ event, data }) => ({ event, data: parse(data) }));
  return expectMessage(foldEvents(events), stopSequences);
}

/** Reads, apart from the gateway, what a recorded body says. */
function expectWhole({ id, kind, status, stopSequences }: Recording, bytes: Uint8Array): Expected {
  const body = parse(new TextDecoder().decode(bytes));
  const type = ERROR_TYPES[status];
  const failure = PECULIAR[id]?.failure ?? (type === undefined ? undefined : { type, status });
  if (kind !== "anthropic.messages") return { told: toldByChunks([body]), failure };
  return { ...expectMessage(body, stopSequences), failure };
}

function expectMessage({ provider: _provider, ...message }: Json, stops: readonly string[]): Expected {
  // OpenRouter adds who answered and what it cost, does not say at which sequence the model stopped, and says signed
  // reasoning a second time.
  const { cost: _cost, cost_details: _details, is_byok: _byok, ...usage } = isJson(message.usage)
    ? message.usage
    : {};
  if (message.stop_reason === "stop_sequence") message.stop_sequence ??= stops[0] ?? null;
  const blocks = objects(message.content);
  const signed = blocks.some(({ type, signature }) => type === "thinking" && Boolean(signature));
  const content = blocks.filter(({ data }) => !(signed && text(data).startsWith("openrouter.reasoning:")));
  return { told: toldByMessage(message), message: { stop_sequence: null, ...message, usage, content } };
}

/** A message without what is the gateway's to name. */
function withoutNames({ id: _id, model: _model, ...message }: Json): Json {
  return message;
}

function toRow({ file, id, kind }: Recording, { events, told, result }: Outcome): string {
  const { why } = PECULIAR[id] ?? {};
  const cells = [
    `${file.slice(0, 48).padEnd(48)}…${id}`,
    kind.padEnd(22),
    `${events ?? "-"} events`.padStart(11),
    `${told?.text.length ?? "-"} chars`.padStart(11),
    `${told?.calls.length ?? "-"} calls`.padStart(8),
    ` ${result}`,
  ];
  return cells.join(" ") + (why === undefined ? "" : ` (${why})`);
}

function parse(json: string): Json {
  const value: unknown = JSON.parse(json);
  assert.ok(isJson(value), "not a JSON object");
  return value;
}
