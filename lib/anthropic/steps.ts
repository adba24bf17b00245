import type { StreamEvent } from "./events.ts";

/** What becomes of a step that had begun when its process ended, and whose result is not known. */
export interface Interruption<Result> {
  /** True if the step may run again: it changes nothing, or the same each time. */
  repeatable: boolean;
  /** Returns the result of a step that may not run again. */
  interrupted(): Result;
}

/**
 * The steps of an answer, by name: each turn of a model, and each run of a tool. An engine may record their results, so
 * that a process which continues the answer repeats no finished step.
 *
 * The names of an answer are the same each time it is made.
 */
export interface Steps {
  /** Returns the steps of the next conversation of the answer: a fallback, or a further attempt, is one of its own. */
  next(): Steps;
  /** Asks a model, or returns its recorded answer. A turn that was interrupted is asked again. */
  ask(name: string, ask: () => AsyncGenerator<StreamEvent[]>): AsyncGenerator<StreamEvent[]>;
  /** Runs a tool, or returns its recorded result. The result must be a JSON value. */
  run<Result>(name: string, run: () => Promise<Result>, interruption: Interruption<Result>): Promise<Result>;
}

/** Runs each step, and records nothing. */
export const unrecordedSteps: Steps = {
  next: () => unrecordedSteps,
  ask: (_name, ask) => ask(),
  run: (_name, run) => run(),
};
