import type { MessageWriter } from "../../../anthropic/writer.ts";
import { ApiError } from "../../../base/errors.ts";
import type { JsonObject } from "../../../base/json.ts";
import { toClientToolId, wrapToolId } from "../../tool_id.ts";
import type { ToolCallDelta } from "./chunk.ts";
import type { ToolNames } from "../tool_names.ts";

/**
 * Puts the pieces of tool calls together again.
 *
 * OpenAI says a piece belongs to the call of the same `index`. Its imitators send every call with index 0, leave the
 * index or the id out, send `""` for an id or a name, repeat the name in each piece, or call every call of a tool by the
 * same id: so id and index decide together, then the id, then the index, then the order.
 */
export class ToolCallReader {
  readonly #writer: MessageWriter;
  readonly #options: ToolCallOptions;
  readonly #calls: CallInProgress[] = [];
  readonly #ids = new Set<string>();

  constructor(writer: MessageWriter, options: ToolCallOptions) {
    this.#writer = writer;
    this.#options = options;
  }

  /** Whether any tool of the client's was called. */
  get hasCalls(): boolean {
    return this.#calls.some((call) => call.write !== undefined && !call.isAnswer);
  }

  /** Whether this piece begins a call, so that whatever was said before it has ended. */
  startsCall(piece: ToolCallDelta): boolean {
    return Boolean(piece.function?.name) && this.#find(piece)?.write === undefined;
  }

  /**
   * Takes a piece of a call and gives the number of characters it held.
   *
   * @throws {ApiError} `api_error` if arguments come for a call that never gets a name.
   */
  push(piece: ToolCallDelta): number {
    const found = this.#find(piece);
    const call: CallInProgress = found ?? { ...NEW_CALL };
    if (found === undefined) this.#calls.push(call);
    call.id ??= piece.id || undefined;
    call.index ??= piece.index ?? undefined;
    const name = piece.function?.name;
    const text = toArgumentText(piece.function?.arguments);
    if (call.write === undefined && name) {
      call.isAnswer = name === this.#options.answerTool;
      call.write = call.isAnswer ? this.#writer.json() : this.#openTool(call, name);
      call.write(call.pendingText);
    }
    if (call.write === undefined) call.pendingText += text;
    else call.write(text);
    return text.length;
  }

  /** @throws {ApiError} if a call had arguments and no name. */
  end(): void {
    if (this.#calls.some((call) => call.write === undefined && call.pendingText !== "")) {
      throw new ApiError("api_error", "Cannot use the model's tool call: it names no tool", { status: 502 });
    }
  }

  #openTool({ id }: CallInProgress, name: string): (fragment: string) => void {
    const { names, schemas } = this.#options;
    const clientName = names.toClient(name);
    return this.#writer.tool(this.#clientIdFor(id), clientName, schemas.get(clientName));
  }

  /** An id for the client, which must not meet the same one twice. */
  #clientIdFor(id: string | undefined): string {
    const { newId } = this.#options;
    const candidate = toClientToolId(id, newId);
    const unique = id !== undefined && this.#ids.has(candidate) ? wrapToolId(id, newId) : candidate;
    this.#ids.add(unique);
    return unique;
  }

  #find({ id, index, function: called }: ToolCallDelta): CallInProgress | undefined {
    const sameIndex = (call: CallInProgress) => call.index === (index ?? undefined);
    if (id) {
      const other = (call: CallInProgress) =>
        index !== undefined && index !== null && call.index !== undefined && !sameIndex(call);
      return this.#calls.find((call) => call.id === id && !other(call)) ??
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
  /** The tool whose arguments are the answer, where the model must give it so. */
  answerTool: string | undefined;
  newId(prefix: string): string;
}

interface CallInProgress {
  id: string | undefined;
  index: number | undefined;
  /** Whether its arguments are the answer itself. */
  isAnswer: boolean;
  /** Takes the call's arguments; missing until the call has a name. */
  write: ((fragment: string) => void) | undefined;
  /** Arguments that came before the name. */
  pendingText: string;
}

const NEW_CALL: CallInProgress = {
  id: undefined,
  index: undefined,
  isAnswer: false,
  write: undefined,
  pendingText: "",
};

/** Arguments are text; some hosts send the object itself. */
function toArgumentText(value: unknown): string {
  if (typeof value === "string") return value;
  return value === undefined || value === null ? "" : JSON.stringify(value);
}
