import type { Random } from "./random.ts";

/** Encodes text as UTF-8. */
export function toBytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** Cuts bytes into pieces of the given sizes, repeated to the end. An empty list of sizes returns one piece. */
export function cutBySizes(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0, nth = 0; at < bytes.length; nth++) {
    const size = sizes[nth % sizes.length] ?? bytes.length;
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

/** Cuts bytes at the given offsets, which are in ascending order. Equal offsets give empty pieces. */
export function cutAt(bytes: Uint8Array, offsets: readonly number[]): Uint8Array[] {
  return [...offsets, bytes.length].map((end, nth) => bytes.slice(offsets[nth - 1] ?? 0, end));
}

/** Picks offsets to cut a body of this size at, in ascending order: few or many, sometimes equal. */
export function pickCuts(random: Random, size: number): number[] {
  const pieces = 1 + random(Math.min(size, 2 ** (1 + random(8))));
  return Array.from({ length: pieces }, () => random(size + 1)).sort((a, b) => a - b);
}

/** Returns the offsets after every single byte. */
export function everyByte(size: number): number[] {
  return Array.from({ length: size }, (_, at) => at + 1);
}

/** A stream that a test writes to while it is read. */
export interface PushStream {
  readable: ReadableStream<Uint8Array>;
  write(bytes: Uint8Array): void;
  close(): void;
}

/** Creates a stream without content. */
export function createPushStream(): PushStream {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const readable = new ReadableStream<Uint8Array>({ start: (given) => void (controller = given) });
  return {
    readable,
    write: (bytes) => controller?.enqueue(bytes),
    close: () => controller?.close(),
  };
}
