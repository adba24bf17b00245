import type { ResponseBlock } from "../../anthropic/events.ts";
import type { ContentBlock, MessagesRequest } from "../../anthropic/schema.ts";
import { isObject, type JsonObject } from "../../base/json.ts";
import type { TurnContext } from "../dialect.ts";
import { isSealed, seal, unseal } from "../sealed.ts";
import {
  isOpenRouterReasoning,
  readOpenRouterReasoning,
  writeOpenRouterReasoning,
} from "../reasoning/openrouter.ts";
import { belongsToModel, CLAUDE_FORMAT, isClaude, lacksSignature } from "../reasoning/origin.ts";

/**
 * Converts a thinking block of an earlier answer to the blocks that the model accepts; `undefined` if it accepts none.
 *
 * Other blocks are returned unchanged. Thinking with Claude's own signature is passed on unchanged, and only to Claude.
 * Sealed thinking is unsealed only for the upstream and model that it came from.
 */
export function restoreThinking(
  block: ContentBlock,
  { model, origin, dropThinking }: Pick<TurnContext, "model" | "origin" | "dropThinking">,
): ContentBlock[] | undefined {
  if (block.type !== "thinking" && block.type !== "redacted_thinking") return [block];
  if (dropThinking) return undefined;
  const opaque = block.type === "thinking" ? block.signature : block.data;
  if (typeof opaque !== "string" || opaque === "") return undefined;
  if (isSealed(opaque)) {
    const restored = unseal(opaque, origin)?.flatMap((detail) => unsealedBlocks(detail, block, model));
    return restored && restored.length > 0 ? restored : undefined;
  }
  if (block.type === "redacted_thinking" && isOpenRouterReasoning(opaque)) {
    const detail = readOpenRouterReasoning(opaque);
    // OpenRouter sends Claude's reasoning twice, and accepts both copies back.
    const belongs = isClaude(model) || (detail !== undefined && belongsToModel(detail, model));
    return belongs ? [block] : undefined;
  }
  return isClaude(model) ? [block] : undefined;
}

/** Converts a sealed detail of Anthropic's API, or of OpenRouter's chat completions, to blocks. */
function unsealedBlocks(detail: JsonObject, block: ContentBlock, model: string): ContentBlock[] {
  const { field, data, signature, text } = detail;
  if (field === "redacted_thinking") {
    return typeof data === "string" ? [{ type: "redacted_thinking", data }] : [];
  }
  if (field === "thinking") {
    if (block.type !== "thinking") return [];
    const { signature: _seal, ...rest } = block;
    return [typeof signature === "string" ? { ...rest, signature } : rest];
  }
  if (field !== undefined || lacksSignature(detail, model)) return [];
  if (detail.format !== CLAUDE_FORMAT) {
    return isClaude(model) ? [] : [{ type: "redacted_thinking", data: writeOpenRouterReasoning(detail) }];
  }
  if (typeof data === "string") return [{ type: "redacted_thinking", data }];
  if (typeof signature !== "string") return [];
  return [{ type: "thinking", thinking: typeof text === "string" ? text : "", signature }];
}

type Delta = { type: string; [field: string]: unknown };

/** Creates the sealer for a model's answer; `undefined` for Claude, whose thinking is already signed. */
export function createThinkingSealer(
  { thinking }: MessagesRequest,
  { model, origin }: Pick<TurnContext, "model" | "origin">,
): ThinkingSealer | undefined {
  const shown = !(isObject(thinking) && thinking.display === "omitted");
  return isClaude(model) ? undefined : new ThinkingSealer(origin, { shown });
}

/**
 * Seals the thinking blocks of a model other than Claude, so that they return only to that model.
 *
 * OpenRouter sends the reasoning of most models as redacted blocks with readable text. The client receives these as
 * thinking blocks.
 */
export class ThinkingSealer {
  readonly #origin: string;
  readonly #shown: boolean;
  /** Detail to seal into the signature of the open thinking block. */
  #detail: JsonObject | undefined;
  /** End of the readable thinking so far, to detect repeated reasoning. */
  #shownText = "";

  /** Set `shown` to false if the client requested thinking blocks without text. */
  constructor(origin: string, { shown }: { shown: boolean }) {
    this.#origin = origin;
    this.#shown = shown;
  }

  /** Opens a block; returns the block start for the client and the deltas that follow it. */
  open(block: ResponseBlock): { start: ResponseBlock; deltas: Delta[] } {
    this.#detail = undefined;
    if (block.type === "thinking") {
      this.#detail = { field: "thinking" };
      this.#sign(block.signature);
      return { start: { ...block, signature: "" }, deltas: [] };
    }
    if (block.type !== "redacted_thinking" || typeof block.data !== "string") {
      return { start: block, deltas: [] };
    }
    const detail = { field: "redacted_thinking", data: block.data };
    const text = reasoningText(readOpenRouterReasoning(block.data));
    if (text === "" || this.#shownText.includes(text)) {
      return { start: { ...block, data: seal(this.#origin, [detail]) }, deltas: [] };
    }
    this.#detail = detail;
    this.#remember(text);
    const deltas = this.#shown ? [{ type: "thinking_delta", thinking: text }] : [];
    return { start: { type: "thinking", thinking: "", signature: "" }, deltas };
  }

  /** Returns the client's deltas for a delta of the open block; a signature is held back until `close()`. */
  add(delta: Delta): Delta[] {
    if (delta.type === "thinking_delta") this.#remember(String(delta.thinking));
    if (delta.type !== "signature_delta" || this.#detail === undefined) return [delta];
    this.#sign(delta.signature);
    return [];
  }

  /** Closes the open block; returns the deltas that precede its end. */
  close(): Delta[] {
    const detail = this.#detail;
    this.#detail = undefined;
    return detail ? [{ type: "signature_delta", signature: seal(this.#origin, [detail]) }] : [];
  }

  #remember(text: string): void {
    this.#shownText += text;
    if (this.#shownText.length > 2 * MAX_SHOWN_CHARS) {
      this.#shownText = this.#shownText.slice(-MAX_SHOWN_CHARS);
    }
  }

  #sign(signature: unknown): void {
    if (this.#detail && typeof signature === "string" && signature !== "") this.#detail.signature = signature;
  }
}

/** Characters of thinking that a repetition is compared with. */
const MAX_SHOWN_CHARS = 256 * 1024;

/** Returns the readable text of a reasoning detail, or an empty string. */
function reasoningText(detail: JsonObject | undefined): string {
  if (!isObject(detail)) return "";
  const text = detail.text ?? detail.summary;
  return typeof text === "string" ? text : "";
}
