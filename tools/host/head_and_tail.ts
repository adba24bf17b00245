/** What is kept of a text too long to be kept whole: its beginning and its end. */
export interface HeadAndTail {
  add(bytes: Uint8Array): void;
  /** The text, with a line in the place of what was left out. */
  text(): string;
}

/** Reads UTF-8 that may go on for ever in bounded memory; bytes that are none become U+FFFD. */
export function createHeadAndTail(maxChars: number): HeadAndTail {
  const halfChars = Math.ceil(maxChars / 2);
  const decoder = new TextDecoder();
  let head = "";
  let tail = "";
  let dropped = 0;

  function append(text: string): void {
    const free = halfChars - head.length;
    head += text.slice(0, free);
    tail += text.slice(free);
    if (tail.length > 4 * halfChars) trimTail();
  }

  function trimTail(): void {
    const excess = Math.max(0, tail.length - halfChars);
    tail = tail.slice(excess);
    dropped += excess;
  }

  return {
    add: (bytes) => append(decoder.decode(bytes, { stream: true })),
    text() {
      append(decoder.decode());
      trimTail();
      if (dropped === 0) return head + tail;
      return `${head.toWellFormed()}\n[… ${dropped} characters left out …]\n${tail.toWellFormed()}`;
    },
  };
}
