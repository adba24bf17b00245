/** How often a tool may still be used in a message. */
export interface UseCounter {
  /** Takes one use; gives false where none is left. */
  take(): boolean;
}

/** Creates a count of uses by a tool's `max_uses`; without one there is no end of them. */
export function createUseCounter(max: unknown): UseCounter {
  let remaining = typeof max === "number" ? max : Infinity;
  return { take: () => remaining-- > 0 };
}

/** The `error_code` of Anthropic's API for what went wrong in a tool. */
export function toErrorCode(error: unknown): string {
  const hasCode = error instanceof Error && /^(Fetch|Search)Error$/.test(error.name) && "code" in error;
  return hasCode && typeof error.code === "string" ? error.code : "unavailable";
}
