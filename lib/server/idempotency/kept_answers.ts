import { ApiError } from "../../base/errors.ts";
import type { AnswerStore, HeldAnswer } from "../../durable/answer_store.ts";
import type { Engine } from "../../durable/engine.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Shutdown } from "../../runtime/shutdown.ts";
import { followAnswer } from "./follow_answer.ts";
import { joinJob } from "./join_job.ts";
import { createMemoryAnswers } from "./memory_answers.ts";
import { Recording, type RecordingSink } from "./recording.ts";
import { createStoreSink } from "./store_sink.ts";

/** A request under an idempotency key. */
export interface KeyedRequest {
  owner: string;
  key: string;
  fingerprint: string;
  /** The signal of the client's request. */
  signal: AbortSignal;
  /** The request as an engine's job reads it, in JSON; undefined if only this gateway can answer it. */
  jobRequest: string | undefined;
  /** Called before a kept or running answer is returned. A rejection of it reaches the client instead. */
  assertRepeatAllowed(): Promise<void>;
  /** Starts the answer. `run` identifies the recorded steps of the answer; undefined without a store. */
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
  /** Runs the answers whose request it can be given. Needs the store. */
  engine?: Engine | undefined;
  /** Maximum size of the complete answers in memory, in bytes. */
  maxBytes?: number;
}

/** Maximum size of the complete answers in memory, in bytes. */
const MAX_MEMORY_BYTES = 64 * 1024 * 1024;

/** Creates the kept answers of a gateway. */
export function createKeptAnswers(
  { clock, shutdown, store, engine, maxBytes = MAX_MEMORY_BYTES }: KeptAnswersOptions,
): KeptAnswers {
  const running = new Map<string, Recording>();
  const complete = createMemoryAnswers({ clock, maxBytes });
  let onIdle = () => {};

  function record(name: string, request: KeyedRequest, held: HeldAnswer | undefined): Recording {
    const onEnd = (keep: boolean) => {
      running.delete(name);
      if (running.size === 0) onIdle();
      if (keep) complete.add(request.owner, name, recording);
    };
    const sink: RecordingSink = store === undefined || held === undefined
      ? { onEnd: (error) => onEnd(error === undefined) }
      : createStoreSink({
        store,
        clock,
        held,
        isStopping: () => shutdown.started,
        onEnd: () => onEnd(false),
      });
    const recording = new Recording(request.fingerprint, () => request.start(held?.id), sink);
    running.set(name, recording);
    return recording;
  }

  return {
    idle: () => running.size === 0 ? Promise.resolve() : new Promise((resolve) => onIdle = resolve),
    async answer(request) {
      const { owner, key, fingerprint, signal, jobRequest } = request;
      const name = JSON.stringify([owner, key]);
      const find = () => {
        const known = running.get(name) ?? complete.find(name);
        if (known !== undefined && known.fingerprint !== fingerprint) throw conflictError();
        return known;
      };
      const repeat = async (recording: Recording) => {
        await request.assertRepeatAllowed();
        return await recording.toResponse();
      };
      while (true) {
        const known = find();
        if (known !== undefined) return await repeat(known);
        if (store === undefined) return await record(name, request, undefined).toResponse();
        const job = engine === undefined ? undefined : jobRequest;
        const claim = await store.claim({ owner, key, fingerprint, request: job }, clock.now());
        if (claim.kind === "conflict") throw conflictError();
        if (claim.kind === "own" && job === undefined) {
          return await record(name, request, claim.held).toResponse();
        }
        const joined = find(); // another request of this gateway may have claimed the answer
        if (joined !== undefined) return await repeat(joined);
        if (claim.kind === "kept") await request.assertRepeatAllowed();
        const id = claim.kind === "own" ? claim.held.id : claim.id;
        const response = engine !== undefined && job !== undefined
          ? await joinJob({ id, round: claim.round }, { engine, store, clock, signal })
          : await followAnswer(id, { store, clock, signal });
        if (response !== undefined) return response;
        // The other gateway has failed or ended: the answer is claimed again.
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
