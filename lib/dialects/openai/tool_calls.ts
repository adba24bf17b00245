import type { MessageWriter } from "../../anthropic/writer.ts";
import { ApiError } from "../../errors.ts";
import type { JsonObject } from "../../json.ts";
import { toClientToolId } from "../tool_id.ts";
import type { ToolCallDelta } from "./chunk.ts";
import type { ToolNames } from "./tool_names.ts";

/**
 * Puts the pieces of tool calls together again.
 *
 * OpenAI says a piece belongs to the call of the same `index`. Its imitators send every call with index 0, leave the
 * index or the id out, send `""` for an id or a name, or repeat the name in each piece: so the id decides, then the
 * index, then the order.
 */
export class ToolCallReader {
  readonly #writer: MessageWriter;
  readonly #options: ToolCallOptions;
  readonly #calls: OpenCall[] = [];

  constructor(writer: MessageWriter, options: ToolCallOptions) {
    this.#writer = writer;
    this.#options = options;
  }

  /** Whether any call was made. */
  get any(): boolean {
    return this.#calls.some((call) => call.write !== undefined);
  }

  /** Whether this piece begins a call, so that whatever was said before it has ended. */
  opens(piece: ToolCallDelta): boolean {
    return Boolean(piece.function?.name) && this.#find(piece)?.write === undefined;
  }

  /**
   * Takes a piece of a call and gives the number of characters it held.
   *
   * @throws {ApiError} `api_error` if arguments come for a call that never gets a name.
   */
  push(piece: ToolCallDelta): number {
    const found = this.#find(piece);
    const call: OpenCall = found ?? { id: undefined, index: undefined, write: undefined, waiting: "" };
    if (found === undefined) this.#calls.push(call);
    call.id ??= piece.id || undefined;
    call.index ??= piece.index ?? undefined;
    const name = piece.function?.name;
    const text = toArgumentText(piece.function?.arguments);
    if (call.write === undefined && name) {
      const { names, schemas, newId } = this.#options;
      const known = names.toClient(name);
      call.write = this.#writer.tool(toClientToolId(call.id, newId), known, schemas.get(known));
      call.write(call.waiting);
    }
    if (call.write === undefined) call.waiting += text;
    else call.write(text);
    return text.length;
  }

  /** @throws {ApiError} if a call had arguments and no name. */
  end(): void {
    if (this.#calls.some((call) => call.write === undefined && call.waiting !== "")) {
      throw new ApiError("api_error", "Cannot use the model's tool call: it names no tool", { status: 502 });
    }
  }

  #find({ id, index, function: called }: ToolCallDelta): OpenCall | undefined {
    const sameIndex = (call: OpenCall) => call.index === (index ?? undefined);
    if (id) {
      return this.#calls.find((call) => call.id === id) ??
        this.#calls.findLast((call) => call.id === undefined && call.write === undefined && sameIndex(call));
    }
    if (index !== undefined && index !== null) return this.#calls.findLast(sameIndex);
    return called?.name ? undefined : this.#calls.at(-1);
  }
}

/** What the reading of tool calls needs to know of the request. */
export interface ToolCallOptions {
  names: ToolNames;
  /** The schemas, by the client's names, that arguments of the wrong type are put right by. */
  schemas: ReadonlyMap<string, JsonObject>;
  newId(prefix: string): string;
}

interface OpenCall {
  id: string | undefined;
  index: number | undefined;
  /** Takes the call's arguments; missing until the call has a name. */
  write: ((fragment: string) => void) | undefined;
  /** Arguments that came before the name. */
  waiting: string;
}

/** Arguments are text; some hosts send the object itself. */
function toArgumentText(value: unknown): string {
  if (typeof value === "string") return value;
  return value === undefined || value === null ? "" : JSON.stringify(value);
}
