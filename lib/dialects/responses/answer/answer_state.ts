import type { MessageWriter } from "../../../anthropic/writer.ts";
import type { JsonObject } from "../../../base/json.ts";
import type { CitationReader } from "../../citations.ts";
import type { HostContext } from "../responses.ts";
import type { StopSequences } from "./stop_sequences.ts";

/** What the readers of output items share. */
export interface AnswerState {
  readonly writer: MessageWriter;
  readonly citations: CitationReader;
  readonly context: HostContext;
  /** Input schemas by the client's tool names. They correct arguments of the wrong type. */
  readonly schemas: ReadonlyMap<string, JsonObject>;
  /** False if the client requests thinking blocks without text. */
  readonly showsThinking: boolean;
  /** Ends the text at a stop sequence. */
  readonly stops: StopSequences;
  /** IDs of the tool calls so far. */
  readonly callIds: Set<string>;
  /** Number of characters of text, reasoning and arguments so far. */
  chars: number;
  /** True if the model refused to answer. */
  refused: boolean;
  /** True if a tool call was cut. */
  truncatedCall: boolean;
  /** Number of web searches of the host. */
  searches: number;
  /** Types of the items that were left out because they have no counterpart. */
  omitted: Set<string>;
}

/** Returns a text of an event, or an empty one. */
export function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Returns an index of an event; 0 if it has none. */
export function indexOf(value: unknown): number {
  return typeof value === "number" ? value : 0;
}
