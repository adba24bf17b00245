import { tryJson } from "../base/json.ts";

/** Maximum length of a JSON value over several lines. */
const MAX_CHARS = 1024 * 1024;

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

  /** Adds a line. Returns the text of an object or a list once it is complete. */
  push(line: string): string | undefined {
    if (this.#text === "" && !/^\s*[{[]/.test(line)) return undefined;
    const text = this.#text === "" ? line : `${this.#text}\n${line}`;
    const complete = /[}\]]\s*$/.test(line) && tryJson(text) !== undefined;
    this.#text = complete || text.length > MAX_CHARS ? "" : text;
    return complete ? text : undefined;
  }
}
