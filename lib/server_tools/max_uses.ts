/** How often a tool may still be used in a message. */
export interface Uses {
  /** Takes one use; gives false where none is left. */
  take(): boolean;
}

/** Creates a count of uses by a tool's `max_uses`; without one there is no end of them. */
export function createUses(max: unknown): Uses {
  let left = typeof max === "number" ? max : Infinity;
  return { take: () => left-- > 0 };
}

/** The `error_code` of Anthropic's API for what went wrong in a tool. */
export function toErrorCode(error: unknown): string {
  const named = error instanceof Error && /^(Fetch|Search)Error$/.test(error.name) && "code" in error;
  return named && typeof error.code === "string" ? error.code : "unavailable";
}
