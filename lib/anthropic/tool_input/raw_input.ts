import { isObject } from "../../base/json.ts";
import type { InputFilter } from "../block_queue.ts";
import { ToolInput } from "./tool_input.ts";

/** Passes the input of a block on unchanged, and only checks that it is one JSON object or empty. */
export class RawInput implements InputFilter {
  readonly #tracker = new ToolInput();
  #text = "";

  get complete(): boolean {
    return this.#tracker.complete;
  }

  push(fragment: string): string {
    this.#text += fragment;
    this.#tracker.push(fragment);
    return fragment;
  }

  end(): string {
    if (this.#text.trim() !== "" && !isObject(JSON.parse(this.#text))) {
      throw new SyntaxError("Cannot read tool arguments: they are not a JSON object");
    }
    return "";
  }

  flush(): string {
    return "";
  }

  remainder(): string {
    return "";
  }
}
