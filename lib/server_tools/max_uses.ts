/** Remaining uses of a tool in a message. */
export interface UseCounter {
  /** Takes one use. Returns false if none is left. */
  take(): boolean;
}

/** Creates a counter for a tool's `max_uses`. If the request has none, it is `defaultMax`. */
export function createUseCounter(max: unknown, defaultMax = Infinity): UseCounter {
  let remaining = typeof max === "number" ? max : defaultMax;
  return { take: () => remaining-- > 0 };
}

/** Returns the `error_code` of Anthropic's API for a tool's error. */
export function toErrorCode(error: unknown): string {
  const hasCode = error instanceof Error && /^(Fetch|Search|Rate)Error$/.test(error.name) && "code" in error;
  return hasCode && typeof error.code === "string" ? error.code : "unavailable";
}
