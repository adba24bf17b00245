import { collectMessage } from "../anthropic/collect.ts";
import type { StreamEvent } from "../anthropic/events.ts";
import { tryJsonBody } from "../base/encoding/encode_json.ts";
import { isObject, type JsonObject, tryJson } from "../base/json.ts";
import { redact } from "../base/redact.ts";
import type { Settings } from "../config/settings.ts";
import { maskJson } from "../observability/mask.ts";
import { maskSequence } from "../observability/mask_stream.ts";
import type { Recording } from "../observability/recording.ts";
import { findDifferences } from "./differences.ts";

/** Creates the gateway that translates the request again. */
export type CreateReplayGateway = (
  options: { settings: Settings; fetch: typeof fetch },
) => { fetch(request: Request): Response | Promise<Response>; stop(): Promise<void> };

/** Result of a replay. */
export interface Replay {
  /** One line for each difference between the recorded and the repeated translation. */
  differences: string[];
  /** One line for each thing that a replay of this recording cannot repeat. */
  notes: string[];
}

/**
 * Translates a recorded request again, offline: the upstream answers with the recorded bytes. Compares what is sent to
 * the upstream and what the client receives with the recording.
 */
export async function replay(recording: Recording, createGateway: CreateReplayGateway): Promise<Replay> {
  const { request, exchanges, answer } = recording;
  const sent: { path: string; body: JsonObject | null }[] = [];
  const gateway = createGateway({
    // The boundary to the settings' own schemas, which reject what is not valid.
    settings: { OPENROUTER_API_KEY: "replay", ...recording.settings } as Settings,
    fetch: (input, init) => {
      if (init?.method !== "POST") return Promise.resolve(Response.json({ data: recording.models }));
      const body = tryJsonBody(init.body);
      const exchange = exchanges[sent.length];
      const { pathname, search } = new URL(input instanceof Request ? input.url : input);
      sent.push({ path: pathname + search, body: isObject(body) ? body : null });
      if (exchange === undefined) return Promise.reject(new TypeError("The recording has no further answer"));
      const { status, headers } = exchange;
      return Promise.resolve(new Response(isBodiless(status) ? null : exchange.body, { status, headers }));
    },
  });
  const response = await gateway.fetch(
    new Request(`http://replay.invalid${request.path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...request.headers },
      body: JSON.stringify(request.body),
    }),
  );
  const text = await response.text();
  await gateway.stop();
  const given = JSON.stringify([request, exchanges.map(({ body }) => body)]);
  const masked = sent.map(({ path, body }) => ({ path, body: maskJson(body, redact) }));
  const differences = [
    ...exchanges.flatMap(({ path, sent }, at) =>
      [
        ...findDifferences({ path }, { path: masked[at]?.path ?? path }),
        ...findDifferences(sent, masked[at]?.body, given),
      ].map((line) => `sent ${at + 1}: ${line}`)
    ),
    ...masked.slice(exchanges.length).map((_, at) =>
      `sent ${exchanges.length + at + 1}: (missing) -> a request`
    ),
    ...findDifferences(
      await toComparable(answer, isStream(response)),
      await toReceived(response, text),
      given,
    ).map((line) => `answer: ${line}`),
  ];
  return {
    differences: wasMasked(recording) ? differences.filter((line) => !ESTIMATE.test(line)) : differences,
    notes: listNotes(recording),
  };
}

/** A count of tokens, which the gateway estimates from the text if the upstream reports none. */
const ESTIMATE = /^answer: [\w.]*usage(?:\.(?:in|out)put_tokens)?: /;

/** True if a credential was replaced in the recording: its text then has another length. */
function wasMasked({ request, exchanges }: Recording): boolean {
  return JSON.stringify([request, exchanges]).includes("[redacted]");
}

/** Returns the recorded answer in the form of {@linkcode toReceived}. */
async function toComparable(
  { status, events, error }: Recording["answer"],
  streamed: boolean,
): Promise<JsonObject> {
  const failure = error && { type: error.type, message: error.message };
  if (streamed) return { status, events: mergeDeltas(events), ...(failure && { error: failure }) };
  // The boundary to the recording, which holds events of the gateway.
  const message = failure ? undefined : await collectMessage([events as unknown as StreamEvent[]]);
  return { status, ...(failure ? { error: failure } : { message }) };
}

async function toReceived(response: Response, text: string): Promise<JsonObject> {
  const { status } = response;
  if (!isStream(response)) {
    const body = maskJson(tryJson(text), redact);
    const error = isObject(body) && isObject(body.error) ? body.error : undefined;
    return {
      status,
      ...(error ? { error: { type: error.type, message: error.message } } : { message: body }),
    };
  }
  const all = text.split("\n").flatMap((line) => {
    const event = line.startsWith("data: ") ? tryJson(line.slice("data: ".length)) : undefined;
    return isObject(event) ? [event] : [];
  });
  const failure = all.find(({ type }) => type === "error")?.error;
  const events = maskSequence(all.filter(({ type }) => type !== "error"), redact);
  const error = isObject(failure)
    ? maskJson({ type: failure.type, message: failure.message }, redact)
    : undefined;
  return { status, events: mergeDeltas(events), ...(error !== undefined && { error }) };
}

/** Returns events without pings, and with one delta where a text came in pieces: a mask changes the pieces. */
function mergeDeltas(events: readonly unknown[]): JsonObject[] {
  const merged: JsonObject[] = [];
  for (const event of events.filter(isObject)) {
    if (event.type === "ping") continue;
    const last = merged.at(-1);
    const [delta, before] = [event.delta, last?.delta].map((value) => isObject(value) ? value : undefined);
    const field = TEXT_FIELDS.find((name) => typeof delta?.[name] === "string");
    const continues = field !== undefined && last?.index === event.index && before?.type === delta?.type;
    if (last !== undefined && continues) {
      last.delta = { ...before, [field]: `${before?.[field]}${delta?.[field]}` };
    } else merged.push({ ...event });
  }
  return merged;
}

const TEXT_FIELDS = ["text", "thinking", "partial_json"];

function isStream({ headers }: Response): boolean {
  return headers.get("content-type")?.startsWith("text/event-stream") ?? false;
}

function isBodiless(status: number): boolean {
  return status === 204 || status === 304;
}

function listNotes(recording: Recording): string[] {
  const { exchanges, tools } = recording;
  return [
    ...(exchanges.some(({ cut }) => cut)
      ? ["an answer of the upstream was too long to be recorded whole"]
      : []),
    ...(wasMasked(recording) ? ["credentials were removed; token estimates are not compared"] : []),
    ...(tools.length > 0 ? [`tools are not run again: ${[...new Set(tools)].join(", ")}`] : []),
  ];
}
