import { Arrivals, END, PassingGenerator, toPassing } from "./passing_generator.ts";

/**
 * Returns a generator that becomes another one. `begin` is called with the first read and returns it; if it fails, the
 * read fails, and the generator has ended. A generator that ends before its first read never begins.
 *
 * @example Usage
 * ```ts
 * import { relay } from "./relay.ts";
 *
 * async function* count() {
 *   yield* [1, 2];
 * }
 * const numbers: number[] = [];
 * for await (const number of relay(async () => count())) numbers.push(number);
 * if (numbers.join() !== "1,2") throw new Error(numbers.join());
 * ```
 */
export function relay<Item>(begin: () => Promise<AsyncGenerator<Item>>): AsyncGenerator<Item, undefined> {
  return new Relay(begin);
}

class Relay<Item> extends PassingGenerator<Item> {
  /** Undefined once it was called, or once the generator has ended. */
  #begin: (() => Promise<AsyncGenerator<Item>>) | undefined;
  #beginning: Promise<void> | undefined;
  /** True if no source comes any more. */
  #ended = false;
  #failure: { error: unknown } | undefined;
  #source: PassingGenerator<Item> | undefined;

  constructor(begin: () => Promise<AsyncGenerator<Item>>) {
    super();
    this.#begin = begin;
  }

  override get target(): PassingGenerator<Item> {
    return this.#source === undefined ? this : this.#source.target;
  }

  poll(): IteratorResult<Item, undefined> | undefined {
    if (this.#source !== undefined) return this.#source.poll();
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure.error;
    return this.#ended ? END : undefined;
  }

  ready(): Promise<void> {
    if (this.#source !== undefined) return this.#source.ready();
    return this.#beginning ??= this.#start();
  }

  async return(): Promise<IteratorResult<Item, undefined>> {
    this.#begin = undefined;
    this.#ended = true;
    // What is beginning has opened something that must be closed.
    await this.#beginning;
    await this.#source?.return();
    return END;
  }

  #start(): Promise<void> {
    const begin = this.#begin;
    this.#begin = undefined;
    const fail = (error: unknown) => {
      this.#failure = { error };
      this.#ended = true;
    };
    try {
      return begin?.().then((source) => void (this.#source = toPassing(source)), fail) ?? Promise.resolve();
    } catch (error) {
      fail(error); // of a function that is not `async`
      return Promise.resolve();
    }
  }
}

/** Returns a generator of items that are there already, or will be, then of the rest. It ends the rest when it ends. */
export function prepend<Item extends object>(
  first: readonly (Item | Promise<Item>)[],
  rest: AsyncGenerator<Item>,
): AsyncGenerator<Item, undefined> {
  return new Prepended(first, toPassing(rest));
}

class Prepended<Item extends object> extends PassingGenerator<Item> {
  readonly #first: (Item | Arrivals<Item>)[];
  readonly #rest: PassingGenerator<Item>;

  constructor(first: readonly (Item | Promise<Item>)[], rest: PassingGenerator<Item>) {
    super();
    this.#first = first.map((item) => item instanceof Promise ? new Arrivals(() => item) : item);
    this.#rest = rest;
  }

  override get target(): PassingGenerator<Item> {
    return this.#first.length > 0 ? this : this.#rest.target;
  }

  poll(): IteratorResult<Item, undefined> | undefined {
    const [first] = this.#first;
    if (first === undefined) return this.#rest.poll();
    const value = first instanceof Arrivals ? this.#take(first) : first;
    if (value === undefined) return undefined;
    this.#first.shift();
    return { done: false, value };
  }

  ready(): Promise<void> {
    const [first] = this.#first;
    return first instanceof Arrivals ? first.ready() : this.#rest.ready();
  }

  async return(): Promise<IteratorResult<Item, undefined>> {
    this.#first.length = 0;
    return await this.#rest.return();
  }

  #take(late: Arrivals<Item>): Item | undefined {
    try {
      return late.take();
    } catch (error) {
      this.abandon();
      throw error;
    }
  }
}

/** What {@linkcode tap} calls at the end of a generator. */
export interface TapOptions {
  /** Receives the failure of the generator, and returns the one that its reader receives. Called before `end`. */
  fail?(error: unknown): unknown;
  /** Called once when the generator has ended: after its last item, a failure or a `return()`. */
  end?(how: { complete: boolean }): void;
}

/** Returns a generator of the same items, each of which `read` receives first. If `read` throws, the generator ends. */
export function tap<Item>(
  source: AsyncGenerator<Item>,
  read: (item: Item) => void,
  options: TapOptions = {},
): AsyncGenerator<Item, undefined> {
  return new Tapped(toPassing(source), read, options);
}

class Tapped<Item> extends PassingGenerator<Item> {
  #source: PassingGenerator<Item>;
  readonly #read: (item: Item) => void;
  readonly #options: TapOptions;
  #ended = false;

  constructor(source: PassingGenerator<Item>, read: (item: Item) => void, options: TapOptions) {
    super();
    this.#source = source;
    this.#read = read;
    this.#options = options;
  }

  poll(): IteratorResult<Item, undefined> | undefined {
    try {
      const result = this.#source.poll();
      if (result === undefined) return undefined;
      if (result.done) this.#end(true);
      else this.#read(result.value);
      this.#source = this.#source.target;
      return result;
    } catch (error) {
      const failure = this.#ended ? error : this.#options.fail?.(error) ?? error;
      this.#source.abandon();
      this.#end(false);
      throw failure;
    }
  }

  ready(): Promise<void> {
    return this.#source.ready();
  }

  async return(): Promise<IteratorResult<Item, undefined>> {
    this.#end(false);
    return await this.#source.return();
  }

  #end(complete: boolean): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#options.end?.({ complete });
  }
}
