import { tryJson } from "../../base/json.ts";

/** Maximum length of a JSON value over several lines. */
const MAX_CHARS = 1024 * 1024;
/** Maximum number of lines that may end a value. Each is an attempt to parse it. */
const MAX_ATTEMPTS = 100;

/**
 * Finds JSON among the lines of an event stream that belong to no field.
 *
 * @example Usage
 * ```ts
 * import { BareJson } from "./bare_json.ts";
 *
 * const bareJson = new BareJson();
 * const found = ["noise", "{", '  "error": "No"', "}"].map((line) => bareJson.push(line));
 * if (found.at(-1) !== '{\n  "error": "No"\n}') throw new Error(found.join());
 * ```
 */
export class BareJson {
  /** Lines of a value that is not complete yet. */
  #text = "";
  #attempts = 0;

  /** Adds a line. Returns the text of an object or a list once it is complete. */
  push(line: string): string | undefined {
    if (this.#text === "" && !/^\s*[{[]/.test(line)) return undefined;
    const text = this.#text === "" ? line : `${this.#text}\n${line}`;
    const mayEnd = /[}\]]\s*$/.test(line);
    this.#attempts = (this.#text === "" ? 0 : this.#attempts) + (mayEnd ? 1 : 0);
    const complete = mayEnd && tryJson(text) !== undefined;
    this.#text = complete || text.length > MAX_CHARS || this.#attempts > MAX_ATTEMPTS ? "" : text;
    return complete ? text : undefined;
  }
}
