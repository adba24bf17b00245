import type { KeptCaller } from "../kept_caller.ts";

/** A request for an answer, as it is kept for a job: without a key. */
export interface AnswerRequest extends KeptCaller {
  /** Owner of the answer. */
  owner: string;
  correlationId: string;
  body: unknown;
  /** True if the answer is streamed even if the body does not ask for it. */
  stream: boolean;
}
