/** Clock and timers of the gateway; tests inject their own. */
export interface Clock {
  /** Returns the milliseconds since 1970. */
  now(): number;
  /** Runs a callback once after `ms` milliseconds. The returned function cancels it. */
  after(ms: number, run: () => void): () => void;
  /** Runs a callback every `ms` milliseconds. The returned function cancels it. */
  every(ms: number, run: () => void): () => void;
}

/** The runtime's own clock and timers. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
  every(ms, run) {
    const timer = setInterval(run, ms);
    return () => clearInterval(timer);
  },
};
