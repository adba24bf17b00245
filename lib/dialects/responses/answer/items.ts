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
 * Events belong to the item of their `output_index`: some hosts give every event another `item_id`. Hosts may open an item
 * while another is open. Its events wait until the items before it have ended.
 */
export class OutputItems {
  readonly #create: CreateItemReader;
  readonly #items = new Map<number, Item>();
  readonly #indexes = new Map<string, number>();

  constructor(create: CreateItemReader) {
    this.#create = create;
  }

  /** Begins the item of an event `response.output_item.added`. */
  begin(event: JsonObject): void {
    const item = toItem(event.item);
    if (!isStreamed(item.type)) return;
    const index = this.#knownIndex(event, item) ?? this.#nextIndex;
    if (!this.#items.has(index)) this.#add(index, item);
  }

  /** Passes a delta to its item, which begins if it was not announced. */
  push(eventType: string, event: JsonObject): void {
    const kind = kindOf(eventType);
    if (kind === undefined) return;
    const index = this.#indexOf(event, { type: kind });
    const item = index === undefined ? undefined : this.#items.get(index);
    if (item !== undefined && (item.type !== kind || item.ended)) return;
    const target = item ?? this.#add(index ?? this.#nextIndex, { type: kind });
    this.#run(target, (reader) => reader.push(eventType, event));
  }

  /** Ends the item of an event `response.output_item.done`. */
  end(event: JsonObject): void {
    const whole = toItem(event.item);
    const index = this.#indexOf(event, whole) ?? this.#nextIndex;
    const item = this.#items.get(index);
    if (item?.ended) return;
    this.#finish(item?.type === whole.type ? item : this.#add(index, whole), whole);
  }

  /**
   * Ends all items. `output` has the whole items of the answer, which complete those that have not ended.
   *
   * Some hosts leave it empty, or leave items out. So an item is the one of the same type and the same position among
   * the items of its type.
   */
  endAll(output: unknown): void {
    const seen = [...this.#items.values()];
    for (const whole of Array.isArray(output) ? output.filter(isObject).map(toItem) : []) {
      const at = seen.findIndex(({ type }) => type === whole.type);
      const [item] = at < 0 ? [] : seen.splice(at, 1);
      if (item === undefined) this.#finish(this.#add(this.#nextIndex, whole), whole);
      else if (!item.ended) this.#finish(item, whole);
    }
    for (const item of this.#items.values()) if (!item.ended) this.#finish(item, undefined);
  }

  get #nextIndex(): number {
    return Math.max(-1, ...this.#items.keys()) + 1;
  }

  /** Returns the index of an item; without an index and a known ID, that of the last open item of its type. */
  #indexOf(event: JsonObject, item: JsonObject): number | undefined {
    return this.#knownIndex(event, item) ??
      [...this.#items].findLast(([, { type, ended }]) => type === item.type && !ended)?.[0];
  }

  #knownIndex({ output_index, item_id }: JsonObject, { id }: JsonObject): number | undefined {
    if (typeof output_index === "number") return output_index;
    return [item_id, id].flatMap((one) => typeof one === "string" ? [this.#indexes.get(one)] : [])
      .find((index) => index !== undefined);
  }

  #add(wanted: number, { id, ...fields }: StreamedItem): Item {
    const index = this.#items.has(wanted) ? this.#nextIndex : wanted;
    const item: Item = { type: fields.type, reader: undefined, first: fields, pending: [], ended: false };
    this.#items.set(index, item);
    if (typeof id === "string") this.#indexes.set(id, index);
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
    for (const item of this.#items.values()) {
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

type Action = (reader: ItemReader) => void;

interface StreamedItem extends JsonObject {
  type: string;
}

interface Item {
  type: string;
  /** Undefined while an item before it is open. */
  reader: ItemReader | undefined;
  /** The item as it was announced. */
  first: JsonObject;
  pending: Action[];
  ended: boolean;
}

/** Types of items whose content is streamed. All others count once they are complete: hosts open them at any time. */
const STREAMED_TYPES = ["message", "function_call", "reasoning"];

function isStreamed(type: string): boolean {
  return STREAMED_TYPES.includes(type);
}

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
