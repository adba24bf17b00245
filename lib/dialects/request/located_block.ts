import type { ContentBlock } from "../../anthropic/schema.ts";

/** The place of a content in the client's request. */
export interface Place {
  readonly path: string;
}

/** A block and its path in the client's request. */
export interface LocatedBlock<Block = ContentBlock> extends Place {
  readonly block: Block;
}

// A history has thousands of messages and blocks. The path of each is built when it is read: of most it is not.

/** The place of the content of a message. */
export class ContentOfMessage implements Place {
  readonly at: number;

  /** `at` is the index of the message. */
  constructor(at: number) {
    this.at = at;
  }

  get path(): string {
    return `messages.${this.at}.content`;
  }
}

/** Locates a block by its index in a content. */
export function locateBlock<Block>(block: Block, content: Place, nth: number): LocatedBlock<Block> {
  return new BlockOfContent(block, content, nth);
}

/** Locates each block of a content. */
export function locateBlocks(content: readonly ContentBlock[], place: Place): LocatedBlock[] {
  return content.map((block, nth) => new BlockOfContent(block, place, nth));
}

class BlockOfContent<Block> implements LocatedBlock<Block> {
  readonly block: Block;
  readonly #content: Place;
  readonly #nth: number;

  constructor(block: Block, content: Place, nth: number) {
    this.block = block;
    this.#content = content;
    this.#nth = nth;
  }

  get path(): string {
    return `${this.#content.path}.${this.#nth}`;
  }
}
