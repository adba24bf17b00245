import type { ContentBlock } from "../../anthropic/schema.ts";

/** A block and its path in the client's request. */
export interface LocatedBlock<Block = ContentBlock> {
  block: Block;
  path: string;
}

/** Pairs each block of a content with its path. */
export function locateBlocks(content: readonly ContentBlock[], path: string): LocatedBlock[] {
  return content.map((block, at) => ({ block, path: `${path}.${at}` }));
}
