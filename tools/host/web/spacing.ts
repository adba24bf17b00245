/**
 * Creates a function that shortens every run of whitespace to `maxRunChars` characters, even a run that is split
 * between several pieces of text.
 *
 * Regular expressions that search for the end of a text need quadratic time in the length of a run.
 *
 * @example Usage
 * ```ts
 * import { createWhitespaceLimiter } from "./spacing.ts";
 *
 * const shorten = createWhitespaceLimiter(2);
 * console.assert(shorten("a    b ") + shorten("   ") + shorten(" c") === "a  b  c");
 * ```
 */
export function createWhitespaceLimiter(maxRunChars: number): (text: string) => string {
  let openRun = 0;
  return (text) => {
    const start = text.length - text.trimStart().length;
    const allowed = Math.min(start, maxRunChars - openRun);
    const kept = text.slice(0, allowed) +
      text.slice(start).replace(/\s+/g, (run) => run.slice(0, maxRunChars));
    openRun = start === text.length ? openRun + allowed : kept.length - kept.trimEnd().length;
    return kept;
  };
}
