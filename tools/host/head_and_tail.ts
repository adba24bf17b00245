/** What is kept of a text too long to be kept whole: its beginning and its end. */
export interface Excerpt {
  add(bytes: Uint8Array): void;
  /** The text, with a line in the place of what was left out. */
  text(): string;
}

/** Reads UTF-8 that may go on for ever in bounded memory; bytes that are none become U+FFFD. */
export function createExcerpt(characters: number): Excerpt {
  const half = Math.ceil(characters / 2);
  const decoder = new TextDecoder();
  let head = "";
  let tail = "";
  let dropped = 0;

  function take(text: string): void {
    const free = half - head.length;
    head += text.slice(0, free);
    tail += text.slice(free);
    if (tail.length > 4 * half) drop();
  }

  function drop(): void {
    const excess = Math.max(0, tail.length - half);
    tail = tail.slice(excess);
    dropped += excess;
  }

  return {
    add: (bytes) => take(decoder.decode(bytes, { stream: true })),
    text() {
      take(decoder.decode());
      drop();
      if (dropped === 0) return head + tail;
      return `${head.toWellFormed()}\n[… ${dropped} characters left out …]\n${tail.toWellFormed()}`;
    },
  };
}
