import { namelessCall } from "../../errors/unreadable.ts";
import { AnswerSize } from "../../../anthropic/answer_size.ts";
import type { MessageWriter } from "../../../anthropic/writer.ts";
import { ApiError } from "../../../base/errors.ts";
import type { JsonObject } from "../../../base/json.ts";
import { textKey } from "../../../base/hash/text_key.ts";
import { toClientToolId, wrapToolId } from "../../tool_id.ts";
import type { ToolCallDelta } from "./chunk.ts";
import type { ToolNames } from "../../offered_tools/tool_names.ts";

/**
 * Assembles tool calls from their pieces.
 *
 * In OpenAI's protocol, a piece belongs to the call of the same `index`. Compatible hosts send every call with index 0,
 * omit the index or the id, send `""` for an id or a name, repeat the name in each piece or split it, or use one id for
 * all calls of a tool. So a piece is matched by id and index, then by id, then by index, then by order.
 */
export class ToolCallReader {
  readonly #writer: MessageWriter;
  readonly #options: ToolCallOptions;
  readonly #calls: CallInProgress[] = [];
  readonly #ids = new Set<string>();
  /** Size of the arguments, which are held until their call ends. */
  readonly #size = new AnswerSize();

  constructor(writer: MessageWriter, options: ToolCallOptions) {
    this.#writer = writer;
    this.#options = options;
  }

  /** True if the model called a tool other than the answer tool. */
  get hasCalls(): boolean {
    return this.#calls.some(({ name, isAnswer }) => name !== "" && !isAnswer);
  }

  /** True if this piece begins a call, which ends the text or reasoning before it. */
  startsCall(piece: ToolCallDelta): boolean {
    return Boolean(piece.function?.name) && !this.#find(piece)?.name;
  }

  /** Adds a piece of a call. Returns the number of characters of its arguments. */
  push(piece: ToolCallDelta): number {
    const found = this.#find(piece);
    const call: CallInProgress = found ?? { ...NEW_CALL };
    if (found === undefined) this.#add(call);
    call.id ??= piece.id ? textKey(piece.id) : undefined;
    call.index ??= piece.index ?? undefined;
    const name = piece.function?.name;
    const text = toArgumentText(piece.function?.arguments);
    this.#size.add(text);
    if (call.write === undefined) {
      call.pendingText += text;
      if (name) this.#addName(call, name);
      if (call.name !== "" && (call.pendingText !== "" || !this.#continues(call.name))) this.#open(call);
    } else call.write(text);
    return text.length;
  }

  /**
   * Ends the calls.
   *
   * @throws {ApiError} `api_error` if a call has arguments but no name.
   */
  end(): void {
    for (const call of this.#calls) if (call.name !== "") this.#open(call);
    if (this.#calls.some((call) => call.name === "" && call.pendingText !== "")) throw namelessCall();
  }

  /** Adds a name, or a piece of one. A piece that leads to no offered name repeats what there is. */
  #addName(call: CallInProgress, piece: string): void {
    const whole = call.name + piece;
    if (call.name === "" || this.#isOffered(whole) || this.#continues(whole)) call.name = whole;
    call.isAnswer = call.name === this.#options.answerTool;
  }

  #isOffered(name: string): boolean {
    return name === this.#options.answerTool || this.#options.names.offers(name);
  }

  /** True if a name is the beginning of an offered one. */
  #continues(name: string): boolean {
    const { answerTool, names } = this.#options;
    return names.continues(name) ||
      (answerTool !== undefined && answerTool !== name && answerTool.startsWith(name));
  }

  /** Opens the block of a call whose name is complete, after those of earlier calls. */
  #open(call: CallInProgress): void {
    for (const one of this.#calls) {
      if (one.write === undefined && one.name !== "") {
        one.write = one.isAnswer ? this.#writer.json() : this.#openTool(one, one.name);
        one.write(one.pendingText);
      }
      if (one === call) return;
    }
  }

  #add(call: CallInProgress): void {
    if (this.#calls.length >= MAX_CALLS) {
      throw new ApiError("api_error", `Cannot use the answer: it has more than ${MAX_CALLS} tool calls`, {
        status: 502,
      });
    }
    this.#calls.push(call);
  }

  #openTool({ id }: CallInProgress, name: string): (fragment: string) => void {
    const { names, schemas } = this.#options;
    const clientName = names.toClient(name);
    return this.#writer.tool(this.#clientIdFor(id), clientName, schemas.get(clientName));
  }

  /** Returns an id for the client, unique in this answer. */
  #clientIdFor(id: string | undefined): string {
    const { newId } = this.#options;
    const candidate = toClientToolId(id, newId);
    const unique = id !== undefined && this.#ids.has(candidate) ? wrapToolId(id, newId) : candidate;
    this.#ids.add(unique);
    return unique;
  }

  #find({ id: givenId, index, function: called }: ToolCallDelta): CallInProgress | undefined {
    const id = givenId ? textKey(givenId) : undefined;
    const sameIndex = (call: CallInProgress) => call.index === (index ?? undefined);
    if (id !== undefined) {
      const other = (call: CallInProgress) =>
        index !== undefined && index !== null && call.index !== undefined && !sameIndex(call);
      return this.#calls.find((call) => call.id === id && !other(call)) ??
        this.#calls.findLast((call) => call.id === undefined && call.write === undefined && sameIndex(call));
    }
    if (index !== undefined && index !== null) return this.#calls.findLast(sameIndex);
    return called?.name ? undefined : this.#calls.at(-1);
  }
}

/** Options of `ToolCallReader`. */
export interface ToolCallOptions {
  names: ToolNames;
  /** Input schemas by the client's tool names. They correct arguments of the wrong type. */
  schemas: ReadonlyMap<string, JsonObject>;
  /** Name of the tool whose arguments are the answer, if the request has one. */
  answerTool: string | undefined;
  newId(prefix: string): string;
}

/** Maximum number of calls in an answer. Every piece of a call is compared with all of them. */
const MAX_CALLS = 1000;

interface CallInProgress {
  id: string | undefined;
  index: number | undefined;
  /** Name, or the beginning of one. */
  name: string;
  /** True if its arguments are the answer. */
  isAnswer: boolean;
  /** Writes a fragment of the arguments. Undefined until the name is complete. */
  write: ((fragment: string) => void) | undefined;
  /** Arguments that arrived before the name. */
  pendingText: string;
}

const NEW_CALL: CallInProgress = {
  id: undefined,
  index: undefined,
  name: "",
  isAnswer: false,
  write: undefined,
  pendingText: "",
};

/** Returns the arguments as text. Some hosts send an object. */
function toArgumentText(value: unknown): string {
  if (typeof value === "string") return value;
  return value === undefined || value === null ? "" : JSON.stringify(value);
}
