import type { Content, ContentBlock, Message } from "../anthropic/schema.ts";
import { isObject, type JsonObject } from "../base/json.ts";
import { fenceContent } from "../dialects/fence.ts";
import { type Citable, restoreMarks } from "./citations.ts";
import type { ModelResult, ServerTool } from "./server_tool.ts";
import { toModelCallId } from "./call_ids.ts";

/** Returns the tool that a block calls, if the gateway runs it. */
export type FindTool = (block: ContentBlock) => ServerTool | undefined;

/** A conversation as sent to the model, with the client's path of each part. */
export interface ModelHistory {
  messages: Message[];
  /** Pages that the model can cite, by mark. */
  citable: ReadonlyMap<string, Citable>;
  /** Converts a path in this conversation to the client's; `undefined` for parts that the client did not send. */
  toClientPath(path: string): string | undefined;
}

/** Options of {@linkcode toModelHistory}. */
export interface HistoryOptions {
  find: FindTool;
  /** Returns true for a block of an answer that the model does not receive. */
  omits?: (block: ContentBlock) => boolean;
  /** Results for the model that differ from their blocks, by call id. */
  modelResults?: ReadonlyMap<string, ModelResult>;
}

/**
 * Converts a client's conversation to the model's.
 *
 * Calls that the gateway ran become `tool_use` blocks, and their results `tool_result` blocks of user messages. One
 * message of the client therefore becomes several.
 *
 * A result is matched to its call by id, wherever it is. If the turn also called client tools, the result is in a later
 * message.
 */
export function toModelHistory(messages: readonly Message[], options: HistoryOptions): ModelHistory {
  const { results, citable } = collectResults(messages, options);
  const builder = new HistoryBuilder(options, results);
  messages.forEach((message, at) => builder.add(message, `messages.${at}`));
  return { ...builder.end(), citable };
}

/** Returns the server tool calls of the last assistant message that have no result. The gateway runs them. */
export function findPendingCalls(messages: readonly Message[], find: FindTool): ContentBlock[] {
  const at = messages.findLastIndex(({ role }) => role === "assistant");
  const after = messages.slice(at + 1);
  const resumed = after.every(({ role, content }) => role === "system" || isOnlyResults(content));
  const turn = messages[at]?.content;
  if (!resumed || turn === undefined || typeof turn === "string") return [];
  const answeredIds = new Set(turn.map(resultCallId));
  return turn.filter((block) => find(block) !== undefined && !answeredIds.has(idOf(block)));
}

/** Returns the model's ids of all calls in a conversation. */
export function listCallIds(messages: readonly Message[]): string[] {
  const blocks = messages.flatMap(({ content }) => typeof content === "string" ? [] : content);
  return blocks.filter(({ type }) => type.endsWith("tool_use")).map((block) => toModelCallId(idOf(block)));
}

/** Returns the input of a call; `{}` if it is not an object. */
export function inputOf(block: ContentBlock): JsonObject {
  return isObject(block.input) ? block.input : {};
}

/** Returns the id of a call; an empty string if it has none. */
export function idOf(block: ContentBlock): string {
  return typeof block.id === "string" ? block.id : "";
}

function isOnlyResults(content: Content): boolean {
  return typeof content !== "string" && content.every(({ type }) => type === "tool_result");
}

/** A block with its path in the client's request; `undefined` if the client did not send it. */
interface PlacedBlock {
  block: ContentBlock;
  path: string | undefined;
}

/** A message of the model's conversation; `blocks` are the paths of its blocks if their order has changed. */
interface HistoryEntry {
  message: Message;
  path: string | undefined;
  blocks?: readonly (string | undefined)[];
}

class HistoryBuilder {
  readonly #find: FindTool;
  readonly #omits: (block: ContentBlock) => boolean;
  readonly #results: ReadonlyMap<string, PlacedBlock>;
  readonly #entries: HistoryEntry[] = [];
  /** Ids of calls in the last message that have no result yet. */
  #openCalls: string[] = [];

  constructor({ find, omits = () => false }: HistoryOptions, results: ReadonlyMap<string, PlacedBlock>) {
    this.#find = find;
    this.#omits = omits;
    this.#results = results;
  }

  add(message: Message, path: string): void {
    if (message.role === "user" && this.#openCalls.length > 0) {
      return this.#addMessage(message, path, [...this.#takeResults(), ...placeBlocks(message, path)]);
    }
    this.#addResults();
    if (message.role === "assistant" && this.#needsRewrite(message.content)) this.#split(message, path);
    else this.#entries.push({ message, path });
  }

  end(): Omit<ModelHistory, "citable"> {
    this.#addResults();
    const entries = this.#entries;
    return {
      messages: entries.map(({ message }) => message),
      toClientPath: (path) => toClientPath(path, entries),
    };
  }

  #needsRewrite(content: Content): boolean {
    return typeof content !== "string" &&
      content.some((block) =>
        this.#find(block) !== undefined || this.#isResult(block) || this.#omits(block) ||
        restoreMarks(block) !== block
      );
  }

  #isResult(block: ContentBlock): boolean {
    return this.#results.has(resultCallId(block));
  }

  /** Adds an assistant message, split where it continues after results. */
  #split(message: Message, path: string): void {
    let blocks: PlacedBlock[] = [];
    let afterResult = false;
    for (const { block, path: at } of placeBlocks(message, path)) {
      if (this.#omits(block)) continue;
      const isResult = this.#isResult(block);
      if (afterResult && !isResult && blocks.length > 0) {
        this.#addMessage(message, path, blocks);
        this.#addResults();
        blocks = [];
      }
      afterResult = isResult;
      if (!isResult) blocks.push({ block: this.#toBlock(block), path: at });
    }
    if (blocks.length > 0) this.#addMessage(message, path, blocks);
  }

  #toBlock(block: ContentBlock): ContentBlock {
    const tool = this.#find(block);
    if (tool === undefined) return restoreMarks(block);
    this.#openCalls.push(idOf(block));
    return {
      type: "tool_use",
      id: toModelCallId(idOf(block)),
      name: tool.definition.name,
      input: inputOf(block),
    };
  }

  #addResults(): void {
    if (this.#openCalls.length > 0) {
      this.#addMessage({ role: "user", content: [] }, undefined, this.#takeResults());
    }
  }

  #takeResults(): PlacedBlock[] {
    const takeResults = this.#openCalls.map((id) => this.#results.get(id) ?? missingResult(id));
    this.#openCalls = [];
    return takeResults;
  }

  #addMessage(message: Message, path: string | undefined, placed: readonly PlacedBlock[]): void {
    const content = placed.map(({ block }) => block);
    this.#entries.push({ message: { ...message, content }, path, blocks: placed.map((one) => one.path) });
  }
}

/** Collects the results for the model by call id, and the pages that it can cite. */
function collectResults(
  messages: readonly Message[],
  { find, modelResults = new Map() }: HistoryOptions,
): { results: Map<string, PlacedBlock>; citable: Map<string, Citable> } {
  const citable = new Map<string, Citable>();
  const calls = new Map<string, ServerTool>();
  const results = new Map<string, PlacedBlock>();
  for (const { block, path } of messages.flatMap((message, at) => placeBlocks(message, `messages.${at}`))) {
    const calledTool = find(block);
    if (calledTool !== undefined) calls.set(idOf(block), calledTool);
    const id = resultCallId(block);
    const tool = calls.get(id);
    if (tool === undefined || results.has(id)) continue;
    const tool_use_id = toModelCallId(id);
    const { content, ...rest } = modelResults.get(id) ?? tool.toModelResult(block);
    const fenced = tool.trusted === true ? content : fenceContent(content, tool_use_id);
    results.set(id, { block: { ...rest, content: fenced, type: "tool_result", tool_use_id }, path });
    for (const [mark, page] of tool.citations?.(block) ?? []) citable.set(mark, page);
  }
  return { results, citable };
}

/** Returns the call id of a server tool's result; an empty string for any other block. */
function resultCallId(block: ContentBlock): string {
  const { type, tool_use_id: id }: { type: string; tool_use_id?: unknown } = block;
  return type.endsWith("tool_result") && type !== "tool_result" && typeof id === "string" ? id : "";
}

function missingResult(id: string): PlacedBlock {
  const content = "No result was given for this call";
  return {
    block: { type: "tool_result", tool_use_id: toModelCallId(id), content, is_error: true },
    path: undefined,
  };
}

function placeBlocks({ content }: Message, path: string): PlacedBlock[] {
  if (typeof content === "string") {
    return [{ block: { type: "text", text: content }, path: `${path}.content` }];
  }
  return content.map((block, nth) => ({ block, path: `${path}.content.${nth}` }));
}

const MESSAGE_PATH = /^messages\.(\d+)(?:(\.content)\.(\d+))?(.*)$/s;

function toClientPath(path: string, entries: readonly HistoryEntry[]): string | undefined {
  const [, at = "", content, nth, rest = ""] = MESSAGE_PATH.exec(path) ?? [];
  const entry = entries[Number(at)];
  if (at === "" || entry === undefined) return at === "" ? path : undefined;
  const block = content === undefined
    ? entry.path
    : entry.blocks === undefined
    ? `${entry.path}${content}.${nth}`
    : entry.blocks[Number(nth)];
  return block === undefined ? undefined : block + rest;
}
