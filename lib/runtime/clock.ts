/** Clock and timers of the gateway; tests inject their own. */
export interface Clock {
  /** Returns the milliseconds since 1970. */
  now(): number;
  /**
   * Runs a callback once after `ms` milliseconds. The returned function cancels it. With `background`, the timer does
   * not keep the process alive.
   */
  after(ms: number, run: () => void, options?: { background?: boolean }): () => void;
  /** Runs a callback every `ms` milliseconds. The returned function cancels it. */
  every(ms: number, run: () => void): () => void;
}

/** The runtime's own clock and timers. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, run, { background = false } = {}) {
    const timer = setTimeout(run, ms);
    // Timers of Workers are numbers.
    if (background && typeof timer === "object") timer.unref();
    return () => clearTimeout(timer);
  },
  every(ms, run) {
    const timer = setInterval(run, ms);
    return () => clearInterval(timer);
  },
};
