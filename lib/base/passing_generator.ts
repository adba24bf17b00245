/**
 * A generator that passes the items of another source on. What has arrived is read through all layers at once, by
 * {@linkcode poll}, and a wait is that of the innermost source: one promise, however many layers there are. An
 * `async function*` with `yield*` would take several promises for each item and layer.
 */
export abstract class PassingGenerator<Item> implements AsyncGenerator<Item, undefined> {
  /**
   * Reads without a wait: the next item or the end. Returns `undefined` if neither has arrived.
   *
   * @throws the failure.
   */
  abstract poll(): IteratorResult<Item, undefined> | undefined;
  /** Waits until another poll may find something. Called if a poll has found nothing. Never rejects. */
  abstract ready(): Promise<void>;
  abstract return(): Promise<IteratorResult<Item, undefined>>;

  /** The generator that can be read in the place of this one from now on: this one, or the one that it passes on. */
  get target(): PassingGenerator<Item> {
    return this;
  }

  async next(): Promise<IteratorResult<Item, undefined>> {
    while (true) {
      const read = this.poll();
      if (read !== undefined) return read;
      await this.ready();
    }
  }

  /** Ends the generator because of a failure, which is the only one that counts. */
  abandon(): void {
    this.return().catch(() => {});
  }

  async throw(error: unknown): Promise<never> {
    await this.return();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}

/** Result of a read after the last item. */
export const END: IteratorResult<never, undefined> = { done: true, value: undefined };

/** Returns a generator that can be polled: the given one, or what it passes on, or one that reads it. */
export function toPassing<Item>(source: AsyncGenerator<Item>): PassingGenerator<Item> {
  return source instanceof PassingGenerator ? source.target : new ReadGenerator(source);
}

/**
 * Reads a generator to its end. A `for await` takes three promises for each item; this takes one for each wait. If
 * `use` throws, the generator ends.
 *
 * @example Usage
 * ```ts
 * import { readAll } from "./passing_generator.ts";
 *
 * async function* count() {
 *   yield* [1, 2];
 * }
 * let sum = 0;
 * await readAll(count(), (number) => sum += number);
 * if (sum !== 3) throw new Error(String(sum));
 * ```
 */
export function readAll<Item>(source: AsyncGenerator<Item>, use: (item: Item) => void): Promise<void> {
  return readWhile(source, (item) => {
    use(item);
    return true;
  });
}

/** Reads a generator up to the first item for which `use` returns false, or to its end. The rest can still be read. */
export async function readWhile<Item>(
  source: AsyncGenerator<Item>,
  use: (item: Item) => boolean,
): Promise<void> {
  const items = toPassing(source);
  while (true) {
    const read = items.poll();
    if (read === undefined) await items.ready();
    else if (read.done) return;
    else {
      try {
        if (!use(read.value)) return;
      } catch (error) {
        items.abandon();
        throw error;
      }
    }
  }
}

/** Reads any generator. */
class ReadGenerator<Item> extends PassingGenerator<Item> {
  readonly #source: AsyncGenerator<Item>;
  readonly #reads: Arrivals<IteratorResult<Item>>;

  constructor(source: AsyncGenerator<Item>) {
    super();
    this.#source = source;
    this.#reads = new Arrivals(() => source.next());
  }

  poll(): IteratorResult<Item, undefined> | undefined {
    return this.#reads.take();
  }

  ready(): Promise<void> {
    return this.#reads.ready();
  }

  async return(): Promise<IteratorResult<Item, undefined>> {
    await this.#source.return(undefined);
    return END;
  }
}

/**
 * Values that promises bring, for a reader that polls.
 *
 * @example Usage
 * ```ts
 * import { Arrivals } from "./passing_generator.ts";
 *
 * const numbers = new Arrivals(async () => 1);
 * if (numbers.take() !== undefined) throw new Error("it has not arrived");
 * await numbers.ready();
 * if (numbers.take() !== 1 || numbers.take() !== undefined) throw new Error("it arrives once");
 * ```
 */
export class Arrivals<Value> {
  readonly #begin: () => Promise<Value>;
  #waiting: Promise<void> | undefined;
  #value: Value | undefined;
  #failure: { error: unknown } | undefined;

  /** `begin` returns the promise of the next value. */
  constructor(begin: () => Promise<Value>) {
    this.#begin = begin;
  }

  /** Takes the value that has arrived, if there is one. @throws the failure of its promise. */
  take(): Value | undefined {
    const [value, failure] = [this.#value, this.#failure];
    this.#value = undefined;
    this.#failure = undefined;
    if (failure !== undefined) throw failure.error;
    return value;
  }

  /** Waits for the next value, or its failure. */
  ready(): Promise<void> {
    return this.#waiting ??= this.#begin().then(
      (value) => {
        this.#waiting = undefined;
        this.#value = value;
      },
      (error: unknown) => {
        this.#waiting = undefined;
        this.#failure = { error };
      },
    );
  }
}
