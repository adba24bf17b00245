import type { ContentBlock } from "../../anthropic/schema.ts";

/** A block and its path in the client's request. */
export interface LocatedBlock<Block = ContentBlock> {
  readonly block: Block;
  readonly path: string;
}

/** Pairs each block of a content with its path, which is built when it is read: of most blocks it is not. */
export function locateBlocks(content: readonly ContentBlock[], path: string): LocatedBlock[] {
  return content.map((block, at) => new BlockOfContent(block, path, at));
}

class BlockOfContent implements LocatedBlock {
  readonly block: ContentBlock;
  readonly #content: string;
  readonly #at: number;

  constructor(block: ContentBlock, content: string, at: number) {
    this.block = block;
    this.#content = content;
    this.#at = at;
  }

  get path(): string {
    return `${this.#content}.${this.#at}`;
  }
}
