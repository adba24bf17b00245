import { isObject, type JsonObject } from "../../../base/json.ts";
import { seal } from "../../sealed.ts";
import { SEALED_FIELD } from "../responses.ts";
import { type AnswerState, textOf } from "./answer_state.ts";
import type { ItemReader } from "./items.ts";

/**
 * Converts items of types that are not streamed: compactions, and the calls of tools that the host ran.
 *
 * Items without a counterpart are left out: their result is in the message that follows them.
 */
export class OtherItemReader implements ItemReader {
  readonly #state: AnswerState;

  constructor(state: AnswerState) {
    this.#state = state;
  }

  push(): void {}

  end(item: JsonObject | undefined): void {
    switch (item?.type) {
      case "compaction":
        return this.#addCompaction(item);
      case "web_search_call":
        return this.#addSearch(item);
      case "image_generation_call":
        if (item.result) this.#addNote("[An image was generated, which is left out]");
        return;
      default:
        if (item !== undefined) this.#state.omitted.add(textOf(item.type));
    }
  }

  #addNote(note: string): void {
    const { writer } = this.#state;
    writer.endBlock();
    writer.text(note);
    writer.endBlock();
  }

  #addCompaction({ encrypted_content }: JsonObject): void {
    const { writer, context } = this.#state;
    if (typeof encrypted_content !== "string") return;
    const detail = { field: SEALED_FIELD, type: "compaction", encrypted_content };
    writer.addBlock({ type: "redacted_thinking", data: seal(context.origin, [detail]) });
  }

  #addSearch({ action, status }: JsonObject): void {
    const { writer, context } = this.#state;
    if (!isObject(action) || action.type !== "search" || status === "failed") return;
    this.#state.searches++;
    const sources = Array.isArray(action.sources) ? action.sources.filter(isObject) : [];
    const found = sources.filter(({ url }) => typeof url === "string");
    // Without results, the call says no more than the citations.
    if (found.length === 0) return;
    const queries = Array.isArray(action.queries) ? action.queries.map(textOf).filter(Boolean) : [];
    const query = textOf(action.query) || queries.join("; ");
    const id = context.newId("srvtoolu_");
    const call = writer.open({ type: "server_tool_use", id, name: "web_search", input: {} });
    call.delta({ type: "input_json_delta", partial_json: JSON.stringify({ query }) });
    call.end();
    const content = found.map(({ url, title }) => ({
      type: "web_search_result",
      url,
      title: textOf(title) || url,
      // The seal is empty: it only marks the result as one of the gateway.
      encrypted_content: seal(context.origin, []),
      page_age: null,
    }));
    writer.addBlock({ type: "web_search_tool_result", tool_use_id: id, content });
  }
}
