/**
 * A generator that passes the items of another source on. Each read goes to that source directly. An `async function*` with
 * `yield*` would take several promises for each item, and an answer passes through many layers.
 */
export abstract class PassingGenerator<Item> implements AsyncGenerator<Item, undefined> {
  abstract next(): Promise<IteratorResult<Item, undefined>>;
  abstract return(): Promise<IteratorResult<Item, undefined>>;

  /** The generator that can be read in the place of this one from now on: this one, or the one that it passes on. */
  get target(): AsyncGenerator<Item> {
    return this;
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

/** Returns the generator that a generator's items come from. */
function targetOf<Item>(source: AsyncGenerator<Item>): AsyncGenerator<Item> {
  return source instanceof PassingGenerator ? source.target : source;
}

/** Result of a read after the last item. */
export const END: IteratorResult<never, undefined> = { done: true, value: undefined };

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
  #beginning: Promise<AsyncGenerator<Item>> | undefined;
  #source: AsyncGenerator<Item> | undefined;

  constructor(begin: () => Promise<AsyncGenerator<Item>>) {
    super();
    this.#begin = begin;
  }

  override get target(): AsyncGenerator<Item> {
    return this.#source === undefined ? this : targetOf(this.#source);
  }

  next(): Promise<IteratorResult<Item, undefined>> {
    return this.#source === undefined ? this.#firstRead() : this.#source.next();
  }

  async return(): Promise<IteratorResult<Item, undefined>> {
    this.#begin = undefined;
    // What is beginning has opened something that must be closed.
    const source = this.#source ?? await this.#beginning?.catch(() => undefined);
    await source?.return(undefined);
    return END;
  }

  async #firstRead(): Promise<IteratorResult<Item, undefined>> {
    this.#beginning ??= this.#begin?.();
    this.#begin = undefined;
    if (this.#beginning === undefined) return END;
    try {
      this.#source = await this.#beginning;
    } catch (error) {
      this.#beginning = undefined;
      throw error;
    }
    return await this.#source.next();
  }
}

/** Returns a generator of items that are there already, or will be, then of the rest. It ends the rest when it ends. */
export function prepend<Item extends object>(
  first: readonly (Item | Promise<Item>)[],
  rest: AsyncGenerator<Item>,
): AsyncGenerator<Item, undefined> {
  return new Prepended(first, rest);
}

class Prepended<Item extends object> extends PassingGenerator<Item> {
  readonly #first: (Item | Promise<Item>)[];
  readonly #rest: AsyncGenerator<Item>;

  constructor(first: readonly (Item | Promise<Item>)[], rest: AsyncGenerator<Item>) {
    super();
    this.#first = [...first];
    this.#rest = rest;
  }

  override get target(): AsyncGenerator<Item> {
    return this.#first.length > 0 ? this : targetOf(this.#rest);
  }

  next(): Promise<IteratorResult<Item, undefined>> {
    const first = this.#first.shift();
    return first === undefined ? this.#rest.next() : this.#read(first);
  }

  async return(): Promise<IteratorResult<Item, undefined>> {
    this.#first.length = 0;
    await this.#rest.return(undefined);
    return END;
  }

  async #read(first: Item | Promise<Item>): Promise<IteratorResult<Item, undefined>> {
    try {
      return { done: false, value: await first };
    } catch (error) {
      await this.return();
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
  return new Tapped(source, read, options);
}

class Tapped<Item> extends PassingGenerator<Item> {
  #source: AsyncGenerator<Item>;
  readonly #read: (item: Item) => void;
  readonly #options: TapOptions;
  #ended = false;

  constructor(source: AsyncGenerator<Item>, read: (item: Item) => void, options: TapOptions) {
    super();
    this.#source = source;
    this.#read = read;
    this.#options = options;
  }

  async next(): Promise<IteratorResult<Item, undefined>> {
    let result: IteratorResult<Item, undefined>;
    try {
      result = await this.#source.next();
      if (!result.done) this.#read(result.value);
      this.#source = targetOf(this.#source);
    } catch (error) {
      const failure = this.#ended ? error : this.#options.fail?.(error) ?? error;
      await this.#source.return(undefined);
      this.#end(false);
      throw failure;
    }
    if (result.done) this.#end(true);
    return result;
  }

  async return(): Promise<IteratorResult<Item, undefined>> {
    this.#end(false);
    await this.#source.return(undefined);
    return END;
  }

  #end(complete: boolean): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#options.end?.({ complete });
  }
}
