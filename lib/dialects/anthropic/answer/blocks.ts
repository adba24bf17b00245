import type { Delta } from "../../../anthropic/block_queue.ts";
import type { MessageWriter, OpenBlock } from "../../../anthropic/writer.ts";
import { asText, type JsonObject } from "../../../base/json.ts";
import { namelessCall, unreadableAnswer } from "../../errors/unreadable.ts";
import { isOpenRouterReasoning } from "../../reasoning/openrouter.ts";
import { toClientToolId, wrapToolId } from "../../tool_id.ts";
import type { ThinkingSealer } from "../thinking.ts";
import { createBlock, isCall, isDirect, type NativeBlock } from "./native_block.ts";
import type { Block } from "./schemas.ts";

/** Options of `BlockReader`. */
export interface BlockOptions {
  /** True for an upstream whose blocks are passed on as they are, as long as they are legal. */
  exact: boolean;
  /** Seals the thinking of models other than Claude. */
  sealer: ThinkingSealer | undefined;
  /** Returns the client's name of a tool. */
  toClientName(name: string): string;
  /** Input schemas by the client's tool names. They correct arguments of the wrong type. */
  schemas: ReadonlyMap<string, JsonObject>;
  newId(prefix: string): string;
}

/** Type of the blocks that each type of delta belongs to. Other deltas belong to any block. */
const BLOCKS_OF_DELTAS = new Map<string, RegExp>([
  ["text_delta", /^text$/],
  ["citations_delta", /^text$/],
  ["thinking_delta", /^thinking$/],
  ["signature_delta", /^thinking$/],
  ["input_json_delta", /_use$/],
]);

/** Writes the blocks of an upstream's stream, which may come in any order: deltas go to the block of their type. */
export class BlockReader {
  readonly #writer: MessageWriter;
  readonly #options: BlockOptions;
  /** Blocks by the upstream's index. */
  readonly #blocks = new Map<number, NativeBlock | "skipped">();
  readonly #ids = new Set<string>();
  #last: NativeBlock | undefined;
  /** True once a thinking block had a signature. */
  #signed = false;
  #hasCalls = false;
  /** True once a ping was sent, as Anthropic sends one after the first start of a block. */
  pinged = false;

  constructor(writer: MessageWriter, options: BlockOptions) {
    this.#writer = writer;
    this.#options = options;
  }

  /** True if the model called a tool of the client. */
  get hasCalls(): boolean {
    return this.#hasCalls;
  }

  /** Opens a block. */
  open(content: Block, index = this.#blocks.size): void {
    const before = this.#blocks.get(index);
    if (before !== undefined && before !== "skipped") this.#close(before);
    // A new block ends text and thinking. Calls may still receive arguments.
    if (this.#last !== undefined && this.#last.input === undefined) this.#end(this.#last);
    // Without data, the upstream could not read its thinking in the next turn.
    const isEmpty = content.type === "redacted_thinking" && !content.data && !this.#options.exact;
    // OpenRouter repeats the reasoning of a signed thinking block in a redacted block.
    if (
      isEmpty ||
      (content.type === "redacted_thinking" && isOpenRouterReasoning(content.data) && this.#signed)
    ) {
      this.#blocks.set(index, "skipped");
      return;
    }
    const { start, deltas } = this.#options.sealer?.open(content) ?? { start: content, deltas: [] };
    const { exact, schemas } = this.#options;
    const fields = isCall(start) && !exact ? this.#callFields(start) : {};
    if (fields.name === "") throw namelessCall();
    const block = createBlock(start, { exact, fields, schema: schemas.get(asText(fields.name)) });
    this.#blocks.set(index, block);
    this.#last = block;
    this.#hasCalls ||= start.type === "tool_use" && isDirect(start);
    if (exact || start.type !== "text") this.#write(block);
    for (const delta of deltas) block.written?.delta(delta);
  }

  /** Adds a delta to a block. */
  add(delta: Block, index?: number): void {
    const found = index === undefined ? this.#last : this.#blocks.get(index);
    if (found === "skipped") return;
    if (this.#options.exact && (found === undefined || found.state === "closed")) {
      throw unreadableAnswer("a delta refers to a block that is not open");
    }
    const type = BLOCKS_OF_DELTAS.get(delta.type);
    const fits = found !== undefined && (type?.test(found.start.type) ?? true);
    const block = fits ? found : this.#findBlock(delta);
    if (block !== undefined) this.#add(block, delta);
  }

  /** Closes a block. */
  close(index?: number): void {
    const block = index === undefined ? this.#last : this.#blocks.get(index);
    if (block !== undefined && block !== "skipped") this.#close(block);
  }

  /** Closes all blocks. */
  closeAll(): void {
    for (const block of this.#blocks.values()) if (block !== "skipped") this.#close(block);
  }

  /** Returns a block for a delta that its own block cannot hold. */
  #findBlock(delta: Block): NativeBlock | undefined {
    switch (delta.type) {
      case "text_delta":
      case "thinking_delta": {
        const type = delta.type === "text_delta" ? "text" : "thinking";
        if (this.#last?.start.type !== type || this.#last.state !== "open") {
          this.open(
            type === "text" ? { type, text: "" } : { type, thinking: "", signature: "" },
            this.#freeIndex(),
          );
        }
        return this.#last;
      }
      case "input_json_delta": {
        const calls = [...this.#blocks.values()].filter((block) =>
          block !== "skipped" && block.input !== undefined
        );
        const call = calls.at(-1);
        if (call === undefined || call === "skipped") throw unreadableAnswer("arguments refer to no call");
        return call;
      }
      default:
        return undefined;
    }
  }

  /** Returns an index that no block of the upstream has. */
  #freeIndex(): number {
    return -1 - this.#blocks.size;
  }

  /** Returns a legal id that no other call has, and the name of an offered tool. */
  #callFields({ type, id, name }: Block): JsonObject {
    const { newId, toClientName } = this.#options;
    const given = typeof id === "string" ? id : undefined;
    const legal = toClientToolId(given, newId);
    const clientId = this.#ids.has(legal) ? wrapToolId(legal, newId) : legal;
    this.#ids.add(clientId);
    return {
      id: clientId,
      input: {},
      ...(type === "tool_use" && { name: toClientName(String(name ?? "")) }),
    };
  }

  #write(block: NativeBlock): OpenBlock {
    const written = this.#writer.open(block.start, block.input);
    block.written = written;
    if (!this.pinged) this.#writer.pass({ type: "ping" });
    this.pinged = true;
    return written;
  }

  #add(block: NativeBlock, delta: Block): void {
    const { exact, sealer } = this.#options;
    switch (delta.type) {
      case "text_delta":
        return this.#addText(block, delta);
      case "thinking_delta":
        this.#flushStart(block, delta.thinking);
        break;
      case "signature_delta":
        if (delta.signature) this.#signed = true;
        block.startSignature = undefined;
        break;
      case "input_json_delta": {
        const { partial_json: fragment } = delta;
        const text = typeof fragment === "string" ? fragment : fragment ? JSON.stringify(fragment) : "";
        if (text !== "") block.startInput = undefined;
        return exact ? this.#passInput(block, delta, text) : block.written?.input(text);
      }
    }
    for (const one of sealer?.add(delta) ?? [delta]) (block.written ?? this.#write(block)).delta(one);
  }

  #passInput(block: NativeBlock, delta: Delta, text: string): void {
    block.input?.push(text);
    block.written?.delta(delta);
  }

  #addText(block: NativeBlock, delta: Block): void {
    this.#flushStart(block, delta.text);
    this.#writeText(block, delta);
  }

  /** Writes the text of the start, unless the first delta repeats it. */
  #flushStart(block: NativeBlock, first: unknown): void {
    const { startText, start: { type } } = block;
    block.startText = "";
    if (startText === "" || startText === first) return;
    if (type === "text") this.#writeText(block, { type: "text_delta", text: startText });
    else block.written?.delta({ type: "thinking_delta", thinking: startText });
  }

  /** Writes text. Blank text alone is left out, because Anthropic's API rejects it in the next turn. */
  #writeText(block: NativeBlock, delta: Block): void {
    if (this.#options.exact) return block.written?.delta(delta);
    const text = block.blank + String(delta.text ?? "");
    const isOpen = block.written !== undefined && !block.written.ended;
    block.blank = isOpen || text.trim() !== "" ? "" : text;
    if (block.blank !== "" || text === "") return;
    const written = isOpen && block.written ? block.written : this.#write(block);
    written.delta({ ...delta, text });
  }

  /** Ends a block, because another follows. */
  #end(block: NativeBlock): void {
    if (block.state !== "open") return;
    block.state = "ended";
    this.#flushStart(block, undefined);
    if (block.start.type === "thinking") {
      const signature = block.startSignature;
      const own = signature ? [{ type: "signature_delta", signature }] : [];
      if (signature) this.#signed = true;
      for (const delta of this.#options.sealer?.close() ?? own) block.written?.delta(delta);
    }
    if (block.startInput !== undefined) {
      const partial_json = JSON.stringify(block.startInput);
      if (this.#options.exact) {
        this.#passInput(block, { type: "input_json_delta", partial_json }, partial_json);
      } else block.written?.input(partial_json);
    }
    block.written?.end();
  }

  #close(block: NativeBlock): void {
    this.#end(block);
    block.state = "closed";
  }
}
