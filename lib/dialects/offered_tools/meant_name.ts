/** Parts of a name that models and hosts add: gpt-oss its channel, Kimi a namespace and a number, others quotes. */
const TRIMMINGS: readonly RegExp[] = [
  /^.*\bto=/s,
  /<\|.*$/s,
  /^[\s"'`]+|[\s"'`]+$/g,
  /\(\)$/,
  /^(functions?|tools?|default_api|api|namespace)[.:/]/i,
  /:\d+$/,
];

/** Comparisons of names, from the strictest: equal, without regard to case, and to anything but letters and digits. */
const COMPARISONS: readonly ((name: string) => string)[] = [
  (name) => name,
  (name) => name.toLowerCase(),
  (name) => name.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, ""),
];

/**
 * Returns the offered name that a model means by a name with trimmings or in another case. Undefined if no offered name
 * remains, or more than one.
 *
 * @example Usage
 * ```ts
 * import { findMeantName } from "./meant_name.ts";
 *
 * const offered = ["Read", "Bash"];
 * if (findMeantName("functions.Read<|channel|>commentary", offered) !== "Read") throw new Error("not found");
 * if (findMeantName("Write", offered) !== undefined) throw new Error("no such tool");
 * ```
 */
export function findMeantName(name: string, offered: readonly string[]): string | undefined {
  const plain = TRIMMINGS.reduce((rest, trimming) => rest.replace(trimming, ""), name);
  const lastPart = plain.slice(plain.search(/[^.:/]*$/));
  for (const candidate of [plain, lastPart]) {
    for (const simplify of COMPARISONS) {
      const simple = simplify(candidate);
      const meant = simple === "" ? [] : offered.filter((one) => simplify(one) === simple);
      if (meant.length > 1) return undefined;
      if (meant[0] !== undefined) return meant[0];
    }
  }
  return undefined;
}
