import { ApiError } from "../../base/errors.ts";
import { type AnswerStore, KEEP_MS } from "../../durable/answer_store.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Shutdown } from "../../runtime/shutdown.ts";
import { followAnswer } from "./follow_answer.ts";
import { Recording, type RecordingSink } from "./recording.ts";
import { createStoreSink } from "./store_sink.ts";

/** A request under an idempotency key. */
export interface KeyedRequest {
  owner: string;
  key: string;
  fingerprint: string;
  /** The signal of the client's request. */
  signal: AbortSignal;
  /** Called before a kept or running answer is returned. A rejection of it reaches the client instead. */
  assertRepeatAllowed(): Promise<void>;
  /** Starts the answer. `run` identifies the recorded steps of the answer; undefined without `DATA_DIR`. */
  start(run: string | undefined): Promise<Response>;
}

/** Answers of requests with an idempotency key: those in progress, and complete ones of the last day. */
export interface KeptAnswers {
  /**
   * Returns the answer of a key from its start, and starts it if there is none. A failure before the answer begins
   * reaches every request that waits for it, and is not kept.
   *
   * @throws {ApiError} `conflict_error` if the key belongs to a request with another body; what `assertRepeatAllowed`
   * throws.
   */
  answer(request: KeyedRequest): Promise<Response>;
  /** Settles when all answers in progress are complete and kept. */
  idle(): Promise<void>;
}

/** Options of {@linkcode createKeptAnswers}. */
export interface KeptAnswersOptions {
  clock: Clock;
  shutdown: Shutdown;
  /** Keeps complete answers; without it they are in memory. */
  store?: AnswerStore | undefined;
  /** Maximum size of the complete answers in memory, in bytes. */
  maxBytes?: number;
}

/** Maximum size of the complete answers in memory, in bytes. */
const MAX_MEMORY_BYTES = 64 * 1024 * 1024;

/** Memory that an answer takes beside its body, in bytes. */
const OVERHEAD_BYTES = 1024;

/** Creates the kept answers of a gateway. */
export function createKeptAnswers(
  { clock, shutdown, store, maxBytes = MAX_MEMORY_BYTES }: KeptAnswersOptions,
): KeptAnswers {
  const running = new Map<string, Recording>();
  /** Complete answers, oldest first. Empty if there is a store. */
  const complete = new Map<string, { recording: Recording; until: number }>();
  let completeBytes = 0;
  let onIdle = () => {};

  function record(name: string, request: KeyedRequest, id: string | undefined): Recording {
    const onEnd = (keep: boolean) => {
      running.delete(name);
      if (running.size === 0) onIdle();
      if (keep) keepInMemory(name, recording);
    };
    const sink: RecordingSink = store === undefined || id === undefined
      ? { onEnd: (error) => onEnd(error === undefined) }
      : createStoreSink({
        store,
        clock,
        id,
        isStopping: () => shutdown.started,
        onEnd: () => onEnd(false),
      });
    const recording = new Recording(request.fingerprint, () => request.start(id), sink);
    running.set(name, recording);
    return recording;
  }

  function keepInMemory(name: string, recording: Recording): void {
    complete.set(name, { recording, until: clock.now() + KEEP_MS });
    completeBytes += recording.bytes + OVERHEAD_BYTES;
    for (const [oldest, { until }] of complete) {
      if (until > clock.now() && completeBytes <= maxBytes) return;
      forget(oldest);
    }
  }

  function forget(name: string): void {
    completeBytes -= (complete.get(name)?.recording.bytes ?? 0) + OVERHEAD_BYTES;
    complete.delete(name);
  }

  function findInMemory(name: string): Recording | undefined {
    const kept = complete.get(name);
    if (kept === undefined || kept.until > clock.now()) return running.get(name) ?? kept?.recording;
    forget(name);
    return undefined;
  }

  return {
    idle: () => running.size === 0 ? Promise.resolve() : new Promise((resolve) => onIdle = resolve),
    async answer(request) {
      const { owner, key, fingerprint, signal } = request;
      const name = JSON.stringify([owner, key]);
      while (true) {
        const known = findInMemory(name);
        if (known !== undefined) {
          if (known.fingerprint !== fingerprint) throw conflictError();
          await request.assertRepeatAllowed();
          return await known.toResponse();
        }
        const claim = store?.claim({ owner, key, fingerprint }, clock.now()) ??
          { kind: "own", id: undefined };
        switch (claim.kind) {
          case "conflict":
            throw conflictError();
          case "own":
            return await record(name, request, claim.id).toResponse();
          case "kept": {
            await request.assertRepeatAllowed();
            const response = store && await followAnswer(claim.id, { store, clock, signal });
            if (response !== undefined) return response;
            // The other gateway has failed or ended: the answer is claimed again.
          }
        }
      }
    },
  };
}

function conflictError(): ApiError {
  return new ApiError(
    "conflict_error",
    "idempotency-key: Cannot use the key again: it belongs to a request with another body",
    { retryable: false },
  );
}
