import { ApiError } from "../../base/errors.ts";
import type { AnswerStore } from "../../durable/answer_store.ts";
import { type Engine, EngineError } from "../../durable/engine.ts";
import { fromFailure } from "../../durable/failure.ts";
import type { Clock } from "../../runtime/clock.ts";
import { followAnswer } from "./follow_answer.ts";

/** Options of {@linkcode joinJob}. */
export interface JoinOptions {
  engine: Engine;
  store: AnswerStore;
  clock: Clock;
  /** The signal of the client's request. */
  signal: AbortSignal;
}

/**
 * Has the engine run an answer, and returns the answer from its start while some gateway makes it. Returns `undefined`
 * if the answer was lost, and may be claimed again.
 *
 * @throws {ApiError} the failure of the answer before it began, or of the engine.
 */
export async function joinJob(
  { id, round }: { id: string; round: number },
  { engine, store, clock, signal }: JoinOptions,
): Promise<Response | undefined> {
  const givenUp = new AbortController();
  const ended = run().catch((error: unknown) => givenUp.abort(error));
  const response = await followAnswer(id, { store, clock, signal, givenUp: givenUp.signal });
  if (response === undefined) {
    await ended;
    givenUp.signal.throwIfAborted();
  }
  return response;

  async function run(): Promise<void> {
    try {
      const { failure } = await engine.run({ kind: "answer", id, round });
      if (failure !== undefined) throw fromFailure(failure);
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      await store.abandon(id, round);
      throw new ApiError("api_error", `Cannot make the answer: ${error.message}`, { cause: error });
    }
  }
}
