import type { InputFilter } from "../../../anthropic/block_queue.ts";
import { RawInput } from "../../../anthropic/tool_input/raw_input.ts";
import { ToolInput } from "../../../anthropic/tool_input/tool_input.ts";
import type { OpenBlock } from "../../../anthropic/writer.ts";
import { isObject, type JsonObject, tryJson } from "../../../base/json.ts";
import type { Block } from "./schemas.ts";

/** A block of the upstream. */
export interface NativeBlock {
  start: Block;
  /** Undefined until the block is written. Text of other upstreams waits for its first word. */
  written: OpenBlock | undefined;
  input: InputFilter | undefined;
  /** Text of the start, until the first delta shows whether it is repeated there. */
  startText: string;
  /** Arguments of the start, which count if no deltas bring any. */
  startInput: JsonObject | undefined;
  startSignature: unknown;
  /** Blank text before the first word. */
  blank: string;
  state: "open" | "ended" | "closed";
}

/** The fields of text in a start, by type of block. */
const TEXT_FIELDS = new Map([["text", "text"], ["thinking", "thinking"]]);

/** True for a call of a tool, of the client or of a server. */
export function isCall({ type }: Block): boolean {
  return /_use$/.test(type);
}

/**
 * Creates a block from its start. What arrives in deltas starts empty; what the start holds of it is kept for deltas.
 *
 * `fields` replace those of the start. `schema` corrects arguments, unless the block is passed on as it is.
 */
export function createBlock(
  content: Block,
  { exact, fields, schema }: { exact: boolean; fields: JsonObject; schema: JsonObject | undefined },
): NativeBlock {
  const field = TEXT_FIELDS.get(content.type);
  const startText = field !== undefined && typeof content[field] === "string" ? content[field] : "";
  const startSignature = content.type === "thinking" ? content.signature : undefined;
  const startInput = inputOf(content, exact);
  return {
    start: {
      ...content,
      ...(field !== undefined && startText !== "" && { [field]: "" }),
      ...(startSignature ? { signature: "" } : {}),
      ...(startInput && { input: {} }),
      ...fields,
    },
    written: undefined,
    input: !isCall(content) ? undefined : exact ? new RawInput() : new ToolInput(schema),
    startText,
    startInput,
    startSignature,
    blank: "",
    state: "open",
  };
}

/** Returns the arguments in the start of a call, if there are any. */
function inputOf(content: Block, exact: boolean): JsonObject | undefined {
  // Some hosts send the arguments as JSON in a string.
  const input = !exact && typeof content.input === "string" ? tryJson(content.input) : content.input;
  if (!isCall(content) || !isObject(input) || Object.keys(input).length === 0) return undefined;
  // A call by Anthropic's code execution is complete in its start.
  return isDirect(content) || !exact ? input : undefined;
}

/** True for a call by the model itself. Anthropic's code execution also calls tools, and may have their results. */
export function isDirect({ caller }: Block): boolean {
  return !isObject(caller) || caller.type === "direct";
}
