/**
 * Makes a function that shortens every run of whitespace to so many characters, though the run may come in several
 * pieces of text: expressions that look for the end of a text take the square of a run.
 *
 * @example Usage
 * ```ts
 * import { createSpacing } from "./spacing.ts";
 *
 * const shorten = createSpacing(2);
 * console.assert(shorten("a    b ") + shorten("   ") + shorten(" c") === "a  b  c");
 * ```
 */
export function createSpacing(longest: number): (text: string) => string {
  let open = 0;
  return (text) => {
    const start = text.length - text.trimStart().length;
    const room = Math.min(start, longest - open);
    const kept = text.slice(0, room) + text.slice(start).replace(/\s+/g, (run) => run.slice(0, longest));
    open = start === text.length ? open + room : kept.length - kept.trimEnd().length;
    return kept;
  };
}
