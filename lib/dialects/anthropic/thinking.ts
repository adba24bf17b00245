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
 * The thinking of earlier answers as the model that is asked now takes it back; `undefined` where it takes none of it.
 *
 * Claude's own signatures pass as they are, to Claude alone. Whatever is sealed is opened for the upstream and the model
 * that it came from, and for no other.
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
    // OpenRouter says Claude's thoughts twice, and takes both back.
    const belongs = isClaude(model) || (detail !== undefined && belongsToModel(detail, model));
    return belongs ? [block] : undefined;
  }
  return isClaude(model) ? [block] : undefined;
}

/** What a sealed detail was: on this road, or in chat completions. */
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

/** Creates what seals the thinking of a model's answer; Claude's is signed already, for every road. */
export function createThinkingSealer(
  { thinking }: MessagesRequest,
  { model, origin }: Pick<TurnContext, "model" | "origin">,
): ThinkingSealer | undefined {
  const shown = !(isObject(thinking) && thinking.display === "omitted");
  return isClaude(model) ? undefined : new ThinkingSealer(origin, { shown });
}

/**
 * Seals the thinking of a model that is not Claude, block by block, so that it comes back to that model alone.
 *
 * What OpenRouter says as redacted is readable with most models: then the client sees a thinking block.
 */
export class ThinkingSealer {
  readonly #origin: string;
  readonly #shown: boolean;
  /** What the open block is signed with at its end, where it is one of thinking. */
  #detail: JsonObject | undefined;
  /** All that the client has read of the model's thoughts. */
  #shownText = "";

  /** Set `shown` to false where the client wants its thinking blocks without text. */
  constructor(origin: string, { shown }: { shown: boolean }) {
    this.#origin = origin;
    this.#shown = shown;
  }

  /** Takes the start of a block: gives the start that the client sees, and what follows it at once. */
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
    this.#shownText += text;
    const deltas = this.#shown ? [{ type: "thinking_delta", thinking: text }] : [];
    return { start: { type: "thinking", thinking: "", signature: "" }, deltas };
  }

  /** Takes a delta of the open block; a signature waits for the block's end. */
  add(delta: Delta): Delta[] {
    if (delta.type === "thinking_delta") this.#shownText += delta.thinking;
    if (delta.type !== "signature_delta" || this.#detail === undefined) return [delta];
    this.#sign(delta.signature);
    return [];
  }

  /** Takes the end of the open block: gives what comes before it. */
  close(): Delta[] {
    const detail = this.#detail;
    this.#detail = undefined;
    return detail ? [{ type: "signature_delta", signature: seal(this.#origin, [detail]) }] : [];
  }

  #sign(signature: unknown): void {
    if (this.#detail && typeof signature === "string" && signature !== "") this.#detail.signature = signature;
  }
}

/** What can be read of a detail. */
function reasoningText(detail: JsonObject | undefined): string {
  if (!isObject(detail)) return "";
  const text = detail.text ?? detail.summary;
  return typeof text === "string" ? text : "";
}
