import type { Content, ContentBlock, Message } from "../anthropic/schema.ts";
import { isObject, type JsonObject } from "../base/json.ts";
import { type Citable, retellCitations } from "./citations.ts";
import type { ServerTool, Told } from "./server_tool.ts";
import { toModelCallId } from "./call_ids.ts";

/** Finds the tool that a block calls, where the gateway runs it. */
export type FindTool = (block: ContentBlock) => ServerTool | undefined;

/** A conversation as the model has it, and where each part of it stands in the client's. */
export interface Retold {
  messages: Message[];
  /** The pages that the model may cite, by their marks. */
  citable: ReadonlyMap<string, Citable>;
  /** Translates a path into the retold conversation; `undefined` for what the client did not say. */
  toClientPath(path: string): string | undefined;
}

/** What stands beside a conversation. */
export interface RetellOptions {
  find: FindTool;
  /** What the model was told of a result, where its block shows less; by the id of the call. */
  told?: ReadonlyMap<string, Told>;
}

/**
 * Tells a conversation as the model had it: a call that the gateway ran as a call of the model's, its result as the
 * answer to it, so that what stands in one message of the client's becomes several.
 *
 * A result belongs to its call by the id alone, wherever it stands: where the client's own tools had to be waited for
 * it comes in a later message.
 */
export function retellMessages(messages: readonly Message[], options: RetellOptions): Retold {
  const { results, citable } = collectResults(messages, options);
  const retelling = new Retelling(options.find, results);
  messages.forEach((message, at) => retelling.add(message, `messages.${at}`));
  return { ...retelling.end(), citable };
}

/** Lists the calls at the end of a conversation that the gateway has yet to run: those that no result belongs to. */
export function findPending(messages: readonly Message[], find: FindTool): ContentBlock[] {
  const at = messages.findLastIndex(({ role }) => role === "assistant");
  const after = messages.slice(at + 1);
  const resumed = after.every(({ role, content }) => role === "system" || isResultsAlone(content));
  const turn = messages[at]?.content;
  if (!resumed || turn === undefined || typeof turn === "string") return [];
  const answered = new Set(turn.map(answeredId));
  return turn.filter((block) => find(block) !== undefined && !answered.has(idOf(block)));
}

/** Lists the ids of a conversation's calls, as the model has them. */
export function listCallIds(messages: readonly Message[]): string[] {
  const blocks = messages.flatMap(({ content }) => typeof content === "string" ? [] : content);
  return blocks.filter(({ type }) => type.endsWith("tool_use")).map((block) => toModelCallId(idOf(block)));
}

/** Reads what a call was given. */
export function inputOf(block: ContentBlock): JsonObject {
  return isObject(block.input) ? block.input : {};
}

/** Reads the id of a call. */
export function idOf(block: ContentBlock): string {
  return typeof block.id === "string" ? block.id : "";
}

function isResultsAlone(content: Content): boolean {
  return typeof content !== "string" && content.every(({ type }) => type === "tool_result");
}

/** A block, and where the client said it; nowhere, where the client did not. */
interface Placed {
  block: ContentBlock;
  path: string | undefined;
}

/** A message of the retold conversation; the paths of its blocks, where they are not in the client's order. */
interface Line {
  message: Message;
  path: string | undefined;
  blocks?: readonly (string | undefined)[];
}

class Retelling {
  readonly #find: FindTool;
  readonly #results: ReadonlyMap<string, Placed>;
  readonly #lines: Line[] = [];
  /** The calls that the message last told has made. */
  #open: string[] = [];

  constructor(find: FindTool, results: ReadonlyMap<string, Placed>) {
    this.#find = find;
    this.#results = results;
  }

  add(message: Message, path: string): void {
    if (message.role === "user" && this.#open.length > 0) {
      return this.#tell(message, path, [...this.#answers(), ...place(message, path)]);
    }
    this.#answer();
    if (message.role === "assistant" && this.#isTouched(message.content)) this.#split(message, path);
    else this.#lines.push({ message, path });
  }

  end(): Omit<Retold, "citable"> {
    this.#answer();
    const lines = this.#lines;
    return {
      messages: lines.map(({ message }) => message),
      toClientPath: (path) => toClientPath(path, lines),
    };
  }

  #isTouched(content: Content): boolean {
    return typeof content !== "string" &&
      content.some((block) =>
        this.#find(block) !== undefined || this.#isResult(block) || retellCitations(block) !== block
      );
  }

  #isResult(block: ContentBlock): boolean {
    return this.#results.has(answeredId(block));
  }

  /** Tells an assistant's message, split wherever it goes on after results. */
  #split(message: Message, path: string): void {
    let said: Placed[] = [];
    let answered = false;
    for (const { block, path: at } of place(message, path)) {
      const isResult = this.#isResult(block);
      if (answered && !isResult && said.length > 0) {
        this.#tell(message, path, said);
        this.#answer();
        said = [];
      }
      answered = isResult;
      if (!isResult) said.push({ block: this.#toBlock(block), path: at });
    }
    if (said.length > 0) this.#tell(message, path, said);
  }

  #toBlock(block: ContentBlock): ContentBlock {
    const tool = this.#find(block);
    if (tool === undefined) return retellCitations(block);
    this.#open.push(idOf(block));
    return { type: "tool_use", id: toModelCallId(idOf(block)), name: tool.offer.name, input: inputOf(block) };
  }

  #answer(): void {
    if (this.#open.length > 0) this.#tell({ role: "user", content: [] }, undefined, this.#answers());
  }

  #answers(): Placed[] {
    const answers = this.#open.map((id) => this.#results.get(id) ?? missing(id));
    this.#open = [];
    return answers;
  }

  #tell(message: Message, path: string | undefined, placed: readonly Placed[]): void {
    const content = placed.map(({ block }) => block);
    this.#lines.push({ message: { ...message, content }, path, blocks: placed.map((one) => one.path) });
  }
}

/** Gathers what the model is told of each call's result, by the id of the call, and what it may cite of that. */
function collectResults(
  messages: readonly Message[],
  { find, told = new Map() }: RetellOptions,
): { results: Map<string, Placed>; citable: Map<string, Citable> } {
  const citable = new Map<string, Citable>();
  const calls = new Map<string, ServerTool>();
  const results = new Map<string, Placed>();
  const numbers = new Map<string, number>();
  for (const { block, path } of messages.flatMap((message, at) => place(message, `messages.${at}`))) {
    const called = find(block);
    if (called !== undefined) calls.set(idOf(block), called);
    const id = answeredId(block);
    const tool = calls.get(id);
    if (tool === undefined || results.has(id)) continue;
    const nth = (numbers.get(tool.offer.name) ?? 0) + 1;
    numbers.set(tool.offer.name, nth);
    const said = told.get(id) ?? tool.retell(block, nth);
    results.set(id, { block: { ...said, type: "tool_result", tool_use_id: toModelCallId(id) }, path });
    for (const [mark, page] of tool.cite?.(block, nth) ?? []) citable.set(mark, page);
  }
  return { results, citable };
}

/** The id of the call that a block is the result of; the client's own tools have results of another kind. */
function answeredId(block: ContentBlock): string {
  const { type, tool_use_id: id }: { type: string; tool_use_id?: unknown } = block;
  return type.endsWith("tool_result") && type !== "tool_result" && typeof id === "string" ? id : "";
}

function missing(id: string): Placed {
  const content = "No result was given for this call";
  return {
    block: { type: "tool_result", tool_use_id: toModelCallId(id), content, is_error: true },
    path: undefined,
  };
}

function place({ content }: Message, path: string): Placed[] {
  if (typeof content === "string") {
    return [{ block: { type: "text", text: content }, path: `${path}.content` }];
  }
  return content.map((block, nth) => ({ block, path: `${path}.content.${nth}` }));
}

const PATH = /^messages\.(\d+)(?:(\.content)\.(\d+))?(.*)$/s;

function toClientPath(path: string, lines: readonly Line[]): string | undefined {
  const [, at = "", content, nth, rest = ""] = PATH.exec(path) ?? [];
  const line = lines[Number(at)];
  if (at === "" || line === undefined) return at === "" ? path : undefined;
  const block = content === undefined
    ? line.path
    : line.blocks === undefined
    ? `${line.path}${content}.${nth}`
    : line.blocks[Number(nth)];
  return block === undefined ? undefined : block + rest;
}
