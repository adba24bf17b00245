import { quote } from "../../base/redact.ts";

/** Returns a variable of the environment, or undefined if it is not set or may not be read. */
export type ReadVariable = (name: string) => string | undefined;

/**
 * Replaces `${NAME}` and `${NAME:-default}` in a text; the default also stands for an empty variable. `$${` stands for
 * `${`. A mistake names the variable and never holds its value.
 *
 * @example Usage
 * ```ts
 * import { expandVariables } from "./variables.ts";
 *
 * expandVariables("http://${HOST:-localhost}/v1", () => undefined).text; // "http://localhost/v1"
 * ```
 */
export function expandVariables(
  text: string,
  readVariable: ReadVariable,
): { text: string; mistake?: string } {
  const mistakes: string[] = [];
  const expanded = text.replace(PATTERN, (found, body?: string) => {
    if (found === "$${") return "${";
    const [, name, fallback] = BODY.exec(body ?? "") ?? [];
    if (name === undefined) {
      mistakes.push(`expected \${NAME} or \${NAME:-default}, found ${quote(found)}; "$\${" stands for "\${"`);
      return found;
    }
    const value = readVariable(name) || fallback;
    if (value === undefined) mistakes.push(`the variable ${name} is not set`);
    return value ?? "";
  });
  const [mistake] = mistakes;
  return { text: expanded, ...(mistake !== undefined && { mistake }) };
}

/** `$${`, a whole reference, or the beginning of one that has no end. */
const PATTERN = /\$\$\{|\$\{(?:([^}]*)\})?/g;

const BODY = /^([A-Za-z_]\w*)(?::-(.*))?$/s;
