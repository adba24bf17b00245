import type { ContentWriter } from "../../runtime/content_files.ts";

/** Size of a written piece of a content, in bytes. */
export const PIECE_BYTES = 1024 * 1024;

/** The content of files, by their ids. */
export interface Contents {
  /** Starts to write a content. It can be read when it is complete. */
  create(id: string): Promise<ContentWriter>;
  /** Reads a whole content. */
  read(id: string): Promise<Uint8Array>;
  /** Returns a content as it is read. The body fails if it has not `size` bytes: one that is removed meanwhile. */
  stream(id: string, size: number): ReadableStream<Uint8Array>;
  /** Removes a content, if there is one. */
  remove(id: string): Promise<void>;
  /** Removes contents without a description that were written before a time: those of uploads that did not end. */
  removeLeftovers(before: number): Promise<void>;
}
