/** Time, as far as the gateway needs it; tests bring their own. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Runs something once after so many milliseconds, unless it is called off by the function returned. */
  after(ms: number, run: () => void): () => void;
  /** Runs something every so many milliseconds, until it is called off by the function returned. */
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
