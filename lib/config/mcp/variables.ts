/** A text of the MCP configuration with its variables expanded. */
export interface Expanded {
  text: string;
  /** Values that came from variables: they may be secrets. */
  values: readonly string[];
  mistakes: readonly string[];
}

/** A reference to a variable: `${NAME}`, or `${NAME:-default}`. */
const REFERENCE = /\$\{([A-Za-z_]\w*)(?::-([^}]*))?\}/g;
/** References of other programs, such as `${env:NAME}` and `${input:name}` of VS Code. */
const FOREIGN = /\$\{(\w+:(?!-)[^}]*)\}/g;

/**
 * Expands `${NAME}` and `${NAME:-default}`. The default is used if the variable is not set or empty, as in a shell.
 * Values are not expanded again.
 *
 * `lookUp` returns the value of a variable, and `undefined` if it is not set.
 *
 * @example Usage
 * ```ts
 * import { expandVariables } from "./variables.ts";
 *
 * const { text } = expandVariables("${HOST:-localhost}:80", () => undefined);
 * if (text !== "localhost:80") throw new Error(text);
 * ```
 */
export function expandVariables(text: string, lookUp: (name: string) => string | undefined): Expanded {
  const values: string[] = [];
  const mistakes = Array.from(
    text.matchAll(FOREIGN),
    ([whole]) =>
      `${JSON.stringify(whole.slice(0, 50))} is not a variable; expected \${NAME} or \${NAME:-default}`,
  );
  const expanded = text.replace(REFERENCE, (_whole, name: string, fallback: string | undefined) => {
    const value = lookUp(name);
    if (value !== undefined && (value !== "" || fallback === undefined)) {
      values.push(value);
      return value;
    }
    if (fallback === undefined) mistakes.push(`variable ${name} is not set, or may not be read`);
    return fallback ?? "";
  });
  return { text: expanded, values, mistakes };
}
