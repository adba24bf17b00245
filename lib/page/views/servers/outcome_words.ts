const FAILURES: ReadonlyMap<string, string> = new Map([
  ["failed", "an error result"],
  ["timeout", "it took too long"],
  ["bug", "a defect of the gateway"],
]);

/** Describes how a tool call ended. Its message is not shown: it may hold paths and commands. */
export function toOutcomeWords(outcome: string): string {
  return FAILURES.get(outcome) ?? outcome;
}
