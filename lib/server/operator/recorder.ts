import type { StreamEvent } from "../../anthropic/events.ts";
import { toApiError } from "../../base/errors.ts";
import { tryJsonBody } from "../../base/encoding/encode_json.ts";
import { isObject } from "../../base/json.ts";
import { VERSION } from "../../base/version.ts";
import { replaySettings } from "../../config/replay_settings.ts";
import type { Settings } from "../../config/settings.ts";
import { type Mask, maskJson } from "../../observability/mask.ts";
import { maskBody, maskSequence } from "../../observability/mask_stream.ts";
import { type Exchange, type Recording, RECORDING_FORMAT } from "../../observability/recording.ts";
import type { FinishedRequest } from "../../observability/request_record.ts";
import { copyBody } from "./copy_body.ts";

/** Records one message. */
export interface Recorder {
  /** Wraps the `fetch` that upstreams are called with. */
  wrap(network: typeof fetch): typeof fetch;
  /** Adds an entry of an upstream's model list. */
  addModel(model: unknown): void;
  addEvents(batch: readonly StreamEvent[]): void;
  /** Returns the recording, masked. */
  toRecording(finished: FinishedRequest, options: { settings: Settings; mask: Mask; now: number }): Recording;
}

/** Maximum bytes of an upstream's answer, and number of events of an answer, that are recorded. */
const MAX_BODY_BYTES = 8 * 1024 * 1024;
const MAX_EVENTS = 100_000;
const MAX_EXCHANGES = 100;

/** Starts the recording of a message. */
export function startRecorder({ path, body }: { path: string; body: unknown }): Recorder {
  const models: unknown[] = [];
  const events: StreamEvent[] = [];
  const exchanges: (Omit<Exchange, "body" | "cut"> & { received: () => { text: string; cut: boolean } })[] =
    [];
  return {
    wrap: (network) => async (input, init) => {
      const response = await network(input, init);
      if (init?.method !== "POST" || exchanges.length >= MAX_EXCHANGES) return response;
      const { copy, received } = copyBody(response, MAX_BODY_BYTES);
      const url = new URL(input instanceof Request ? input.url : input);
      const sent = tryJsonBody(init.body);
      exchanges.push({
        path: url.pathname + url.search,
        sent: isObject(sent) ? sent : null,
        status: response.status,
        headers: pickHeaders(response.headers, UPSTREAM_HEADERS),
        received,
      });
      return copy;
    },
    addModel: (model) => void models.push(model),
    addEvents(batch) {
      if (events.length < MAX_EVENTS) events.push(...batch);
    },
    toRecording({ record, headers, error }, { settings, mask, now }) {
      const apiError = error === undefined ? undefined : toApiError(error);
      const masked = maskJson({
        models,
        request: { path, headers: pickHeaders(headers, CLIENT_HEADERS), body },
        error: apiError && { type: apiError.type, message: apiError.message },
      }, mask) as Pick<Recording, "models" | "request"> & {
        error?: { type: string; message: string };
      };
      return {
        format: RECORDING_FORMAT,
        recorded_at: new Date(now).toISOString(),
        version: VERSION,
        request_id: record.requestId,
        // Names of upstreams and aliases stay: a key may begin with the name of its upstream.
        settings: maskJson(replaySettings(settings), mask, (name) => name) as Recording["settings"],
        models: masked.models,
        request: masked.request,
        exchanges: exchanges.map(({ received, sent, ...exchange }) => {
          const { text, cut } = received();
          return {
            ...exchange,
            sent: maskJson(sent, mask) as Exchange["sent"],
            body: maskBody(text, mask),
            ...(cut && { cut }),
          };
        }),
        tools: record.tools ?? [],
        answer: {
          status: record.status,
          events: maskSequence(events, mask) as Recording["answer"]["events"],
          ...(masked.error && { error: masked.error }),
        },
      };
    },
  };
}

/** Headers that change the translation, or the reading of an answer. */
const CLIENT_HEADERS = [
  "anthropic-version",
  "anthropic-beta",
  "x-claude-code-session-id",
  "x-session-id",
  "x-gateway-tools",
  "x-gateway-tools-mode",
];
const UPSTREAM_HEADERS = ["content-type", "retry-after", "x-should-retry"];

function pickHeaders(headers: Headers, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => {
    const value = headers.get(name);
    return value === null ? [] : [[name, value]];
  }));
}
