import { AnswerSize } from "../anthropic/answer_size.ts";
import type { MessageDelta, ResponseBlock, StreamEvent } from "../anthropic/events.ts";
import { parseToolInput } from "../anthropic/tool_input/parse_input.ts";
import { isObject, type JsonObject } from "../base/json.ts";
import type { Citable, Piece } from "./citations.ts";
import { CitedText } from "./citations.ts";
import type { CombinedMessage } from "./combined_message.ts";
import type { ServerCall, ServerTool } from "./server_tool.ts";
import { toServerCallId, toUniqueId } from "./call_ids.ts";

/** A model's call of a tool that the gateway runs. */
export interface ServerToolCall extends ServerCall {
  tool: ServerTool;
}

/** Options of {@linkcode TurnReader}. */
export interface TurnReaderOptions {
  /** Tools that the gateway runs, by the name that the model uses. */
  tools: ReadonlyMap<string, ServerTool>;
  /** Message that the turn is added to. */
  combined: CombinedMessage;
  /** Pages that the model can cite, by mark. */
  citable: ReadonlyMap<string, Citable>;
  /** The model's ids of all calls so far. The reader adds those of the turn. */
  callIds: Set<string>;
}

/** Reads the events of one turn. Collects calls of the gateway's tools, and adds the other events to the message. */
export class TurnReader {
  /** Calls that the gateway has to run. */
  readonly calls: ServerToolCall[] = [];
  /** Last event of the turn; undefined until then. */
  end: MessageDelta | undefined;
  readonly #options: TurnReaderOptions;
  readonly #usage = new Map<string, unknown>();
  /** Size of the arguments of the gateway's calls, which are held until they end. */
  readonly #size = new AnswerSize();
  #open: OpenBlock | undefined;
  #hasClientCalls = false;

  constructor(options: TurnReaderOptions) {
    this.#options = options;
  }

  /** True if the model waits only for results of the gateway's tools, so that the gateway can continue. */
  get hasOnlyServerCalls(): boolean {
    return this.end?.delta.stop_reason === "tool_use" && this.calls.length > 0 && !this.#hasClientCalls;
  }

  /** Usage of the turn. */
  get usage(): JsonObject {
    return Object.fromEntries(this.#usage);
  }

  /** Reads a batch of the turn's events, and returns the events for the client. */
  read(batch: readonly StreamEvent[]): StreamEvent[] {
    return batch.flatMap((event) => this.#handle(event));
  }

  #handle(event: StreamEvent): StreamEvent[] {
    const { combined } = this.#options;
    switch (event.type) {
      case "message_start":
        this.#addUsage(event.message.usage);
        return combined.start(event);
      case "content_block_start":
        return this.#startBlock(event.content_block);
      case "content_block_delta":
        return this.#addDelta(event.delta);
      case "content_block_stop":
        return this.#closeBlock();
      case "message_delta":
        this.#addUsage(event.usage);
        this.end = event;
        return [];
      case "message_stop":
        return [];
      case "ping":
      case "(unknown)":
        return [event];
    }
  }

  #addUsage(usage: object): void {
    for (const [name, count] of Object.entries(usage)) {
      if (count !== null && count !== undefined) this.#usage.set(name, count);
    }
  }

  #startBlock(block: ResponseBlock): StreamEvent[] {
    const { tools, combined, citable } = this.#options;
    const tool = block.type === "tool_use" ? tools.get(String(block.name)) : undefined;
    if (tool !== undefined) {
      this.#open = { kind: "call", tool, id: String(block.id), input: block.input, json: "" };
      return [];
    }
    this.#hasClientCalls ||= block.type === "tool_use";
    const isCitable = block.type === "text" && citable.size > 0;
    this.#open = isCitable
      ? { kind: "cited", text: new CitedText(citable), hasText: false, cited: false }
      : { kind: "other" };
    return combined.open(block);
  }

  #addDelta(delta: { type: string; [field: string]: unknown }): StreamEvent[] {
    const open = this.#open;
    if (open?.kind === "call") {
      this.#size.add(delta.partial_json);
      if (typeof delta.partial_json === "string") open.json += delta.partial_json;
      return [];
    }
    if (open?.kind === "cited" && delta.type === "text_delta" && typeof delta.text === "string") {
      return this.#writePieces(open, open.text.push(delta.text));
    }
    return this.#options.combined.addDelta(delta);
  }

  #closeBlock(): StreamEvent[] {
    const { combined } = this.#options;
    const open = this.#open;
    this.#open = undefined;
    if (open?.kind === "cited") return [...this.#writePieces(open, open.text.end()), ...combined.close()];
    if (open?.kind !== "call") return combined.close();
    const { tool, json, input: given } = open;
    const input = json === "" ? given : parseToolInput(json);
    const id = toServerCallId(toUniqueId(open.id, this.#options.callIds), tool);
    const call = { tool, id, input: isObject(input) ? input : {} };
    this.calls.push(call);
    return combined.addBlock(tool.toCallBlock(call));
  }

  /** Writes text and citations. Text after a citation starts a new block. */
  #writePieces(open: CitedBlock, pieces: readonly Piece[]): StreamEvent[] {
    const { combined } = this.#options;
    return pieces.flatMap((piece): StreamEvent[] => {
      if ("citation" in piece) {
        if (!open.hasText) return [];
        open.cited = true;
        return combined.addDelta({ type: "citations_delta", citation: piece.citation });
      }
      const reopened = open.cited ? [...combined.close(), ...combined.open({ type: "text", text: "" })] : [];
      open.cited = false;
      open.hasText = true;
      return [...reopened, ...combined.addDelta({ type: "text_delta", text: piece.text })];
    });
  }
}

interface CitedBlock {
  kind: "cited";
  text: CitedText;
  /** True if the text so far is not empty; a citation needs text. */
  hasText: boolean;
  /** True if the open block has a citation. */
  cited: boolean;
}

type OpenBlock =
  | { kind: "call"; tool: ServerTool; id: string; input: unknown; json: string }
  | CitedBlock
  | { kind: "other" };
