/** Time, as far as tools need it; the gateway's own clock is one. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Runs something once after so many milliseconds, unless it is called off by the function returned. */
  after(ms: number, run: () => void): () => void;
}
