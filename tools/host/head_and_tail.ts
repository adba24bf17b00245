/** Collects a text and keeps only its start and end if it is too long. */
export interface HeadAndTail {
  /** Appends UTF-8; a character may be split between two calls. */
  add(bytes: Uint8Array): void;
  /** Returns the text. A line with the number of omitted characters replaces the middle. */
  text(): string;
}

/** Collects UTF-8 of any length in bounded memory. Invalid bytes become U+FFFD. */
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
