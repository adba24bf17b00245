import { namelessCall } from "../../errors/unreadable.ts";
import { asText, type JsonObject } from "../../../base/json.ts";
import { toClientToolId, wrapToolId } from "../../tool_id.ts";
import { type AnswerState, textOf } from "./answer_state.ts";
import type { ItemReader } from "./items.ts";
import { Pieces } from "./pieces.ts";

/** Converts a function call to a tool call. */
export class CallReader implements ItemReader {
  readonly #state: AnswerState;
  readonly #arguments = new Pieces();
  /** Writes a fragment of the arguments. Undefined until the call has a name. */
  #write: ((fragment: string) => void) | undefined;

  constructor(state: AnswerState, item: JsonObject) {
    this.#state = state;
    this.#open(item);
    this.#add(this.#arguments.complete(0, toArguments(item)));
  }

  push(eventType: string, event: JsonObject): void {
    switch (eventType) {
      case "response.function_call_arguments.delta":
        return this.#add(this.#arguments.add(0, textOf(event.delta)));
      case "response.function_call_arguments.done":
        return this.#add(this.#arguments.complete(0, toArguments(event)));
    }
  }

  /** @throws {ApiError} `api_error` if the call has arguments but no name. */
  end(item: JsonObject | undefined): void {
    if (item !== undefined) {
      this.#open(item);
      this.#add(this.#arguments.complete(0, toArguments(item)));
      if (item.status === "incomplete") this.#state.truncatedCall = true;
    }
    if (this.#write === undefined && this.#arguments.of(0) !== "") {
      throw namelessCall();
    }
  }

  #open({ name, call_id, id }: JsonObject): void {
    const { writer, schemas, context } = this.#state;
    if (this.#write !== undefined || !textOf(name)) return;
    const clientName = context.names.toClient(textOf(name));
    const clientId = this.#clientIdFor(textOf(call_id) || textOf(id));
    this.#write = writer.tool(clientId, clientName, schemas.get(clientName));
    this.#write(this.#arguments.of(0));
  }

  #add(fragment: string): void {
    this.#state.chars += fragment.length;
    this.#write?.(fragment);
  }

  /** Returns an ID for the client, unique in its conversation. Some hosts restart at `call_0` in every answer. */
  #clientIdFor(id: string): string {
    const { context: { newId }, callIds } = this.#state;
    const isCounter = /^[a-z]*[-_:]?\d{1,4}$/i.test(id);
    const candidate = isCounter || callIds.has(id) ? wrapToolId(id, newId) : toClientToolId(id, newId);
    callIds.add(candidate);
    return candidate;
  }
}

/** Returns the arguments as text. Some hosts send an object. */
function toArguments({ arguments: value }: JsonObject): string {
  return value === null ? "" : asText(value);
}
