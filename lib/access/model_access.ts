import { OTHER_KEYS } from "../config/model_access.ts";

/** Decides which models a client may use. */
export interface ModelAccess {
  /** Returns false if the client may use every model. */
  restricts(client: string): boolean;
  /** Returns true if the client may use a model that has any of the names. */
  allows(client: string, names: readonly string[]): boolean;
}

/** Patterns of allowed models by key name. */
type PatternsByKey = { get(name: string): readonly string[] | undefined };

/**
 * Creates the check of allowed models: patterns by key name, `*` for keys without an entry. In a pattern, `*`
 * stands for any characters. A key without patterns may use every model.
 *
 * @example Usage
 * ```ts
 * import { createModelAccess } from "./model_access.ts";
 *
 * const access = createModelAccess(new Map([["alice", ["openai/*"]]]));
 * if (access.allows("alice", ["anthropic/claude-opus-5.5"])) throw new Error("not restricted");
 * if (!access.allows("bob", ["anthropic/claude-opus-5.5"])) throw new Error("restricted");
 * ```
 */
export function createModelAccess(patterns: PatternsByKey): ModelAccess {
  const patternsOf = (client: string) => patterns.get(client) ?? patterns.get(OTHER_KEYS);
  return {
    restricts: (client) => patternsOf(client) !== undefined,
    allows(client, names) {
      const allowed = patternsOf(client);
      return allowed === undefined || names.some((name) => allowed.some((pattern) => matches(name, pattern)));
    },
  };
}

/** Returns true if a name matches a pattern. The time is linear in the name's length for each `*`. */
function matches(name: string, pattern: string): boolean {
  const [start = "", ...rest] = pattern.split("*");
  const end = rest.pop();
  if (end === undefined) return name === pattern;
  if (!name.startsWith(start) || name.length < start.length + end.length || !name.endsWith(end)) return false;
  let at = start.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= name.length - end.length;
}
