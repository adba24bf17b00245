import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { type AnswerContent, contentOfMessage } from "./answer_content.ts";
import { contentOfChunks } from "./completion.ts";
import { readCorpus, type Recording } from "./corpus.ts";
import { readFrames } from "./frames.ts";
import { contentOfResponse, itemsToReturn, responseOfStream } from "./response.ts";
import { secondTurn } from "./second_turn.ts";
import { toTarget } from "./target.ts";
import { everyByte, pickCuts } from "../kit/bytes.ts";
import { foldEvents, parseEvents } from "../kit/events.ts";
import { createTestGateway } from "../kit/gateway.ts";
import { checkComplete } from "../kit/grammar.ts";
import { dig, isJson, type Json, objects, parseJson, text } from "../kit/json.ts";
import { createRandom } from "../kit/random.ts";
import { FakeUpstream } from "../kit/upstream.ts";

/** Set `SEED` to cut at other places. */
const SEED = Number(process.env.SEED ?? 20261124);

/** Up to this size a stream is also fed one byte at a time. */
const SMALL = 8 * 1024;

/** Failure of an answer: this status, or `event: error` if the stream has begun. */
interface Failure {
  type: string;
  status: number;
}

/** Recordings that are not one complete message, by id. */
const EXCEPTIONS: Record<string, { why: string; failure?: Failure }> = {
  "850c7e": { why: "ended by a bare line `error:`", failure: { type: "api_error", status: 502 } },
  "391692": {
    why: "an error body, filed under 200",
    failure: { type: "invalid_request_error", status: 400 },
  },
  "75a9fb": {
    why: "an invalid call of the model, filed under 400: the request was valid",
    failure: { type: "api_error", status: 502 },
  },
  "334ea7": { why: "an error after `length`: truncated by its limit, which is not a failure" },
  "321511": { why: "several messages in one file: the first is the answer" },
  "7044ec": { why: "message_start comes twice: the first one counts" },
  ...notFound("4c29e8", "fb13ef", "4840de", "fb7ea6", "890cb5"),
  ...unfinished("04d5b1", "e76f28", "2518ca"),
  "6762dc": {
    why: "a request over the limit of a minute: waiting does not help",
    failure: { type: "invalid_request_error", status: 400 },
  },
  "793506": { why: "an error of an unknown code", failure: { type: "api_error", status: 502 } },
};

function notFound(...ids: string[]): typeof EXCEPTIONS {
  const failure = { type: "not_found_error", status: 404 };
  return Object.fromEntries(ids.map((id) => [id, { why: "an unknown model, filed under 400", failure }]));
}

function unfinished(...ids: string[]): typeof EXCEPTIONS {
  const failure = { type: "api_error", status: 502 };
  return Object.fromEntries(ids.map((id) => [id, { why: "a response that is still queued", failure }]));
}

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
  console.log(`corpus: skipped: ${skip}`);
  test("POST /v1/messages translates every recorded answer", { skip }, () => {});
} else {
  for (const recording of recordings) {
    test(`POST /v1/messages translates ${recording.file}`, async () => {
      rows.push(toRow(recording, await checkRecording(recording)));
    });
  }
  test("the corpus was tested completely", () => {
    const streams = recordings.filter(({ streamed }) => streamed).length;
    console.log(rows.join("\n"));
    console.log(
      `corpus: ${rows.length} of ${recordings.length} files, ${streams} of them streams, ${runs} answers, seed ${SEED}`,
    );
    assert.equal(rows.length, recordings.length);
    const ids = recordings.map(({ id }) => id);
    assert.deepEqual(Object.keys(EXCEPTIONS).filter((id) => !ids.includes(id)), []);
  });
}

/** The content that the client must receive, and the failure of an incomplete answer. */
interface Expected {
  content: AnswerContent;
  /** The whole message of an Anthropic API, of which no field may be lost. */
  message?: Json;
  /** The items of the Responses API that the next turn must contain. */
  items?: Json[];
  failure?: Failure | undefined;
}

/** The result of a recording, for its row in the table. */
interface Outcome {
  events?: number;
  content?: AnswerContent;
  result: string;
}

async function checkRecording(recording: Recording): Promise<Outcome> {
  const { kind, streamed } = recording;
  const bytes = recording.read();
  if (kind === "models.list") return await checkModels(recording);
  if (kind === "anthropic.count_tokens") return { result: "a count, no answer" };
  const expected = streamed ? expectStream(recording, bytes) : expectWhole(recording, bytes);
  let events: number | undefined;
  for (const [way, body, cuts] of variantsOf(bytes, streamed)) {
    const create = () => new FakeUpstream({ body, cuts, ...toHead(recording) });
    try {
      events = await checkStreamed(recording, create(), expected) ?? events;
      await checkWhole(recording, create(), expected);
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : cause;
      throw new Error(`${recording.file}, ${way}, SEED=${SEED}: ${message}`, { cause });
    }
  }
  const { failure, content } = expected;
  return { events, content, result: failure ? `fails as ${failure.type}` : `complete, ${content.stop}` };
}

/** Checks that the gateway lists every model of the upstream's list. */
async function checkModels(recording: Recording): Promise<Outcome> {
  const body = recording.read();
  const list = new TextDecoder().decode(body);
  const gateway = createTestGateway({ upstream: new FakeUpstream({}, { models: list }) });
  const response = await gateway.get("/v1/models?limit=1000", { "anthropic-version": "2023-06-01" });
  const listed = objects(parseJson(await response.text()).data).map(({ id }) => id);
  const models = objects(parseJson(list).data).map(({ id }) => id);
  assert.deepEqual(models.filter((id) => !listed.includes(id)), []);
  assert.ok(models.length > 0);
  return { result: `${models.length} models listed` };
}

/** Yields variants of a body: in other pieces, and with other line ends. */
function* variantsOf(bytes: Uint8Array, streamed: boolean): Generator<[string, Uint8Array, number[]]> {
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

/** Sends a request with streaming, and checks the answer. Returns the number of events. */
async function checkStreamed(
  recording: Recording,
  upstream: FakeUpstream,
  { content, message, items, failure }: Expected,
): Promise<number | undefined> {
  const response = await ask(recording, upstream, true);
  if (failure && (!recording.streamed || isEmpty(content))) {
    await checkFailure(response, failure);
    return undefined;
  }
  assert.equal(response.status, 200);
  const events = parseEvents(await response.text());
  const ending = checkComplete(events);
  const answer = foldEvents(events);
  if (failure) {
    assert.equal(ending, "error");
    assert.equal(dig(events.at(-1), "error", "type"), failure.type);
    const { text, thinking } = contentOfMessage(answer);
    assert.deepEqual({ text, thinking }, { text: content.text, thinking: content.thinking });
    return events.length;
  }
  assert.equal(ending, "message_stop");
  checkMessage(answer, content, message);
  if (items) assert.deepEqual(await secondTurn(recording, answer), items);
  return events.length;
}

/** True if an answer has no content. Then its failure is an HTTP status. */
function isEmpty({ text, thinking, calls }: AnswerContent): boolean {
  return text === "" && thinking === "" && calls.length === 0;
}

/** Sends a request without streaming, and checks the answer. */
async function checkWhole(
  recording: Recording,
  upstream: FakeUpstream,
  { content, message, failure }: Expected,
): Promise<void> {
  const response = await ask(recording, upstream, false);
  if (failure) return await checkFailure(response, failure);
  assert.equal(response.status, 200);
  checkMessage(parseJson(await response.text()), content, message);
}

async function checkFailure(response: Response, { type, status }: Failure): Promise<void> {
  const body = parseJson(await response.text());
  assert.equal(response.status, status);
  assert.equal(body.type, "error");
  assert.equal(dig(body, "error", "type"), type);
  assert.ok(text(dig(body, "error", "message")).length > 0);
  assert.equal(body.request_id, response.headers.get("request-id"));
}

function checkMessage(answer: Json, content: AnswerContent, message: Json | undefined): void {
  const { usage, ...actual } = contentOfMessage(answer);
  const { usage: counted, ...expected } = content;
  assert.deepEqual(actual, expected);
  if (counted) assert.deepEqual(usage, counted);
  else assert.ok(usage && usage.input > 0 && usage.output > 0, "usage is neither reported nor estimated");
  if (message) assert.deepEqual(withoutNames(answer), withoutNames(message));
}

function ask(recording: Recording, upstream: FakeUpstream, stream: boolean): Promise<Response> {
  runs++;
  const { model, settings } = toTarget(recording);
  const { stopSequences } = recording;
  const request = {
    model,
    max_tokens: 1000,
    stream,
    messages: [{ role: "user", content: "Say it again" }],
    ...(stopSequences.length > 0 && { stop_sequences: stopSequences }),
  };
  return createTestGateway({ upstream, settings }).post(request);
}

/** Returns the expected answer of a recorded stream, without any code of the gateway. */
function expectStream({ id, kind, stopSequences }: Recording, bytes: Uint8Array): Expected {
  const { failure } = EXCEPTIONS[id] ?? {};
  const frames = readFrames(new TextDecoder().decode(bytes)).filter(({ data }) => data !== "[DONE]");
  if (kind === "openai.responses") return expectResponse(responseOfStream(frames), failure);
  if (kind !== "anthropic.messages") {
    const chunks = frames.filter(({ event }) => event !== "error").map(({ data }) => parseJson(data));
    return { content: contentOfChunks(chunks), failure };
  }
  return expectMessage(foldEvents(frames.map(({ data }) => parseJson(data))), stopSequences);
}

/** Returns the expected answer of a recorded body, without any code of the gateway. */
function expectWhole({ id, kind, status, stopSequences }: Recording, bytes: Uint8Array): Expected {
  const body = parseJson(new TextDecoder().decode(bytes));
  const type = ERROR_TYPES[status];
  const failure = EXCEPTIONS[id]?.failure ?? (type === undefined ? undefined : { type, status });
  if (kind === "openai.responses") return expectResponse(body, failure);
  if (kind !== "anthropic.messages") return { content: contentOfChunks([body]), failure };
  return { ...expectMessage(body, stopSequences), failure };
}

function expectResponse(response: Json, failure: Failure | undefined): Expected {
  return { content: contentOfResponse(response), items: itemsToReturn(response), failure };
}

function expectMessage({ provider: _provider, ...message }: Json, stops: readonly string[]): Expected {
  // OpenRouter adds the provider and the cost, omits the stop sequence, and repeats signed reasoning.
  const { cost: _cost, cost_details: _details, is_byok: _byok, ...usage } = isJson(message.usage)
    ? message.usage
    : {};
  if (message.stop_reason === "stop_sequence") message.stop_sequence ??= stops[0] ?? null;
  const blocks = objects(message.content);
  const signed = blocks.some(({ type, signature }) => type === "thinking" && Boolean(signature));
  const content = blocks.filter(({ data }) => !(signed && text(data).startsWith("openrouter.reasoning:")));
  return { content: contentOfMessage(message), message: { stop_sequence: null, ...message, usage, content } };
}

/** Removes the fields that the gateway sets. */
function withoutNames({ id: _id, model: _model, ...message }: Json): Json {
  return message;
}

function toRow({ file, id, kind }: Recording, { events, content, result }: Outcome): string {
  const { why } = EXCEPTIONS[id] ?? {};
  const cells = [
    `${file.slice(0, 48).padEnd(48)}…${id}`,
    kind.padEnd(22),
    `${events ?? "-"} events`.padStart(11),
    `${content?.text.length ?? "-"} chars`.padStart(11),
    `${content?.calls.length ?? "-"} calls`.padStart(8),
    ` ${result}`,
  ];
  return cells.join(" ") + (why === undefined ? "" : ` (${why})`);
}
