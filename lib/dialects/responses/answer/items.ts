import { AnswerSize } from "../../../anthropic/answer_size.ts";
import { ApiError } from "../../../base/errors.ts";
import { isObject, type JsonObject } from "../../../base/json.ts";

/** Reads one output item. */
export interface ItemReader {
  /** Reads a delta, or the end of a part. */
  push(eventType: string, event: JsonObject): void;
  /** Ends the item. `item` is the whole item; `undefined` if the host did not send it. */
  end(item: JsonObject | undefined): void;
}

/** Creates the reader of an item that begins. */
export type CreateItemReader = (type: string, item: JsonObject) => ItemReader;

/**
 * Orders the events of output items.
 *
 * Events belong to the item of their `output_index`: some hosts give every event another `item_id`. Other hosts have no
 * index, or always 0. Then the ID counts, or else the last open item of the type.
 *
 * Hosts may open an item while another is open. Its events wait until the items before it have ended.
 */
export class OutputItems {
  readonly #create: CreateItemReader;
  /** All items, in the order of their beginning. */
  readonly #items: Item[] = [];
  readonly #byIndex = new Map<number, Item>();
  readonly #byId = new Map<string, Item>();
  /** Size of the events that wait for the items before theirs. */
  readonly #pendingSize = new AnswerSize();

  constructor(create: CreateItemReader) {
    this.#create = create;
  }

  /** Begins the item of an event `response.output_item.added`. */
  begin(event: JsonObject): void {
    const whole = toItem(event.item);
    const known = this.#find(event, whole);
    if (STREAMED_TYPES.includes(whole.type) && (known === undefined || isOther(known, whole))) {
      this.#add(event, whole);
    }
  }

  /** Passes a delta to its item, which begins if it was not announced. */
  push(eventType: string, event: JsonObject): void {
    const type = kindOf(eventType);
    if (type === undefined) return;
    const item = this.#findOpen(event, { type }) ?? this.#add(event, { type });
    if (item.reader === undefined) this.#pendingSize.add(event);
    this.#run(item, (reader) => reader.push(eventType, event));
  }

  /** Ends the item of an event `response.output_item.done`. */
  end(event: JsonObject): void {
    const whole = toItem(event.item);
    const known = this.#find(event, whole);
    if (known?.ended && !isOther(known, whole)) return;
    this.#finish(this.#findOpen(event, whole) ?? this.#add(event, whole), whole);
  }

  /**
   * Ends all items. `output` has the whole items of the answer, which complete those that have not ended.
   *
   * Some hosts leave it empty, or leave items out. So an item is the one of the same type and the same position among
   * the items of its type.
   */
  endAll(output: unknown): void {
    const seen = [...this.#items];
    for (const whole of Array.isArray(output) ? output.filter(isObject).map(toItem) : []) {
      const at = seen.findIndex(({ type }) => type === whole.type);
      const [item] = at < 0 ? [] : seen.splice(at, 1);
      if (item === undefined) this.#finish(this.#add({}, whole), whole);
      else if (!item.ended) this.#finish(item, whole);
    }
    for (const item of this.#items) if (!item.ended) this.#finish(item, undefined);
  }

  /** Returns the item with the index or the ID of an event. */
  #find({ output_index, item_id }: JsonObject, { id }: JsonObject): Item | undefined {
    if (typeof output_index === "number") return this.#byIndex.get(output_index);
    return [item_id, id].map((one) => typeof one === "string" ? this.#byId.get(one) : undefined)
      .find((item) => item !== undefined);
  }

  /** Returns the open item that an event continues: the one with its index or ID, or else the last one of its type. */
  #findOpen(event: JsonObject, whole: StreamedItem): Item | undefined {
    const continues = (item: Item | undefined) => item?.type === whole.type && !item.ended;
    const known = this.#find(event, whole);
    if (known === undefined && typeof event.output_index === "number") return undefined;
    return continues(known) ? known : this.#items.findLast(continues);
  }

  #add({ output_index }: JsonObject, { id, ...first }: StreamedItem): Item {
    if (this.#items.length >= MAX_ITEMS) {
      throw new ApiError("api_error", `Cannot use the answer: it has more than ${MAX_ITEMS} output items`, {
        status: 502,
      });
    }
    const item: Item = { type: first.type, id, reader: undefined, first, pending: [], ended: false };
    this.#items.push(item);
    if (typeof output_index === "number") this.#byIndex.set(output_index, item);
    if (typeof id === "string") this.#byId.set(id, item);
    this.#advance();
    return item;
  }

  #finish(item: Item, whole: JsonObject | undefined): void {
    item.ended = true;
    this.#run(item, (reader) => reader.end(whole));
    this.#advance();
  }

  /** Runs an action on the reader of an item, now or when the items before it have ended. */
  #run(item: Item, action: Action): void {
    if (item.reader !== undefined) action(item.reader);
    else item.pending.push(action);
  }

  /** Starts the first item that has not started, if all before it have ended. */
  #advance(): void {
    for (const item of this.#items) {
      if (item.reader === undefined) {
        const reader = this.#create(item.type, item.first);
        item.reader = reader;
        for (const action of item.pending) action(reader);
        item.pending = [];
      }
      if (!item.ended) return;
    }
  }
}

/** Maximum number of items in an answer. Every event is compared with all of them. */
const MAX_ITEMS = 1000;

type Action = (reader: ItemReader) => void;

interface StreamedItem extends JsonObject {
  type: string;
}

interface Item {
  type: string;
  id: unknown;
  /** Undefined while an item before it is open. */
  reader: ItemReader | undefined;
  /** The item as it was announced. */
  first: JsonObject;
  pending: Action[];
  ended: boolean;
}

/** True if an event describes another item than an ended one at the same index. Some hosts use one index for all. */
function isOther(known: Item, whole: StreamedItem): boolean {
  if (known.type !== whole.type) return true;
  const [before, after] = whole.type === "function_call"
    ? [known.first.call_id, whole.call_id]
    : [known.id, whole.id];
  return known.ended && before !== undefined && after !== undefined && before !== after;
}

/** Types of items whose content is streamed. All others count once they are complete: hosts open them at any time. */
const STREAMED_TYPES: readonly string[] = ["message", "function_call", "reasoning"];

/** Events with content, and the type of their item. */
const EVENT_KINDS: readonly (readonly [event: RegExp, type: string])[] = [
  [/^response\.(output_text|refusal)\./, "message"],
  [/^response\.function_call_arguments\./, "function_call"],
  [/^response\.reasoning(_summary)?_(text|part)\./, "reasoning"],
];

function kindOf(eventType: string): string | undefined {
  return EVENT_KINDS.find(([pattern]) => pattern.test(eventType))?.[1];
}

function toItem(value: unknown): StreamedItem {
  const item = isObject(value) ? value : {};
  return { ...item, type: typeof item.type === "string" ? item.type : "" };
}
