import type { Clock } from "./clock.ts";
import { ApiError } from "../base/errors.ts";

/** How long clients have to read the last words of answers that were ended, in milliseconds. */
const LAST_WORDS = 1000;

/** The end of a gateway: it takes nothing new, lets what is open finish for a while, then ends the rest. */
export interface Closing {
  /** Whether it has begun. */
  readonly begun: boolean;
  /** Counts a request as open until the function returned is called. */
  enter(): () => void;
  /** Runs something when what is still open must end, unless it is called off by the function returned. */
  onOver(end: (reason: ApiError) => void): () => void;
  /** Begins it; settles when nothing is open any more, or what is has been ended. */
  begin(): Promise<void>;
}

/** Creates the end of a gateway, still to come; open requests then have so many milliseconds, or 0 for ever. */
export function createClosing(clock: Clock, ms: number): Closing {
  const open = new Set<symbol>();
  const ends = new Set<(reason: ApiError) => void>();
  let over: ApiError | undefined;
  let closed: Promise<void> | undefined;
  let tellClosed = () => {};

  async function close(): Promise<void> {
    if (open.size === 0) return;
    const callOffs: (() => void)[] = [];
    await new Promise<void>((resolve) => {
      tellClosed = resolve;
      if (ms === 0) return;
      callOffs.push(clock.after(ms, endAll), clock.after(ms + LAST_WORDS, resolve));
    });
    for (const callOff of callOffs) callOff();
  }

  function endAll(): void {
    over = new ApiError("overloaded_error", "Cannot finish the answer: the gateway is being stopped");
    for (const end of [...ends]) end(over);
  }

  return {
    get begun() {
      return closed !== undefined;
    },
    enter() {
      const request = Symbol();
      open.add(request);
      return () => {
        open.delete(request);
        if (open.size === 0) tellClosed();
      };
    },
    onOver(end) {
      if (over !== undefined) end(over);
      ends.add(end);
      return () => void ends.delete(end);
    },
    begin: () => closed ??= close(),
  };
}
