import type { MessageDelta, ResponseBlock, StreamEvent } from "../anthropic/events.ts";
import { isObject, type JsonObject, tryJson } from "../base/json.ts";
import type { Citable, Piece } from "./citations.ts";
import { CitedText } from "./citations.ts";
import type { JoinedMessage } from "./joined_message.ts";
import type { ServerCall, ServerTool } from "./server_tool.ts";
import { toServerCallId, toUniqueId } from "./call_ids.ts";

/** A call that the model made of a tool that the gateway runs. */
export interface Call extends ServerCall {
  tool: ServerTool;
}

/** What a turn is read with. */
export interface TurnOptions {
  /** The tools that the gateway runs, by the names that the model knows. */
  tools: ReadonlyMap<string, ServerTool>;
  /** The message that the turn becomes a part of. */
  joined: JoinedMessage;
  /** The pages that the model may cite, by their marks. */
  citable: ReadonlyMap<string, Citable>;
  /** The ids of all calls so far, as the model has them; those of the turn are added. */
  ids: Set<string>;
}

/** Reads one turn of a model: its calls of the gateway's tools are gathered, all else becomes part of the message. */
export class TurnReader {
  /** The calls that the gateway runs. */
  readonly calls: Call[] = [];
  /** How the turn ended; nothing as long as it has not. */
  end: MessageDelta | undefined;
  readonly #options: TurnOptions;
  readonly #usage = new Map<string, unknown>();
  #open: OpenBlock | undefined;
  #shared = false;

  constructor(options: TurnOptions) {
    this.#options = options;
  }

  /** Whether the gateway alone can go on: the model waits for its results, and for nobody else's. */
  get runs(): boolean {
    return this.end?.delta.stop_reason === "tool_use" && this.calls.length > 0 && !this.#shared;
  }

  /** What the turn used. */
  get usage(): JsonObject {
    return Object.fromEntries(this.#usage);
  }

  /** Takes a batch of the turn's events, and gives what the client is told of it. */
  read(batch: readonly StreamEvent[]): StreamEvent[] {
    return batch.flatMap((event) => this.#take(event));
  }

  #take(event: StreamEvent): StreamEvent[] {
    const { joined } = this.#options;
    switch (event.type) {
      case "message_start":
        this.#use(event.message.usage);
        return joined.start(event);
      case "content_block_start":
        return this.#begin(event.content_block);
      case "content_block_delta":
        return this.#more(event.delta);
      case "content_block_stop":
        return this.#close();
      case "message_delta":
        this.#use(event.usage);
        this.end = event;
        return [];
      case "message_stop":
        return [];
      case "ping":
      case "(unknown)":
        return [event];
    }
  }

  #use(usage: object): void {
    for (const [name, count] of Object.entries(usage)) {
      if (count !== null && count !== undefined) this.#usage.set(name, count);
    }
  }

  #begin(block: ResponseBlock): StreamEvent[] {
    const { tools, joined, citable } = this.#options;
    const tool = block.type === "tool_use" ? tools.get(String(block.name)) : undefined;
    if (tool !== undefined) {
      this.#open = { kind: "call", tool, id: String(block.id), input: block.input, json: "" };
      return [];
    }
    this.#shared ||= block.type === "tool_use";
    const cites = block.type === "text" && citable.size > 0;
    this.#open = cites
      ? { kind: "cited", text: new CitedText(citable), said: false, cited: false }
      : { kind: "other" };
    return joined.open(block);
  }

  #more(delta: { type: string; [field: string]: unknown }): StreamEvent[] {
    const open = this.#open;
    if (open?.kind === "call") {
      if (typeof delta.partial_json === "string") open.json += delta.partial_json;
      return [];
    }
    if (open?.kind === "cited" && delta.type === "text_delta" && typeof delta.text === "string") {
      return this.#say(open, open.text.push(delta.text));
    }
    return this.#options.joined.more(delta);
  }

  #close(): StreamEvent[] {
    const { joined } = this.#options;
    const open = this.#open;
    this.#open = undefined;
    if (open?.kind === "cited") return [...this.#say(open, open.text.end()), ...joined.close()];
    if (open?.kind !== "call") return joined.close();
    const { tool, json, input: given } = open;
    const input = json === "" ? given : tryJson(json);
    const id = toServerCallId(toUniqueId(open.id, this.#options.ids), tool.kind);
    const call = { tool, id, input: isObject(input) ? input : {} };
    this.calls.push(call);
    return joined.whole(tool.toUse(call));
  }

  /** Says text; what follows a citation is said in a block of its own. */
  #say(open: CitedBlock, pieces: readonly Piece[]): StreamEvent[] {
    const { joined } = this.#options;
    return pieces.flatMap((piece): StreamEvent[] => {
      if ("citation" in piece) {
        if (!open.said) return [];
        open.cited = true;
        return joined.more({ type: "citations_delta", citation: piece.citation });
      }
      const renewed = open.cited ? [...joined.close(), ...joined.open({ type: "text", text: "" })] : [];
      open.cited = false;
      open.said = true;
      return [...renewed, ...joined.more({ type: "text_delta", text: piece.text })];
    });
  }
}

interface CitedBlock {
  kind: "cited";
  text: CitedText;
  /** Whether anything was said that could be cited. */
  said: boolean;
  /** Whether the block that is open has been cited. */
  cited: boolean;
}

type OpenBlock =
  | { kind: "call"; tool: ServerTool; id: string; input: unknown; json: string }
  | CitedBlock
  | { kind: "other" };
