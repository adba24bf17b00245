import * as v from "valibot";
import type { ReadablePage } from "./html.ts";

/** Maximum number of pages that are read. */
const MAX_PAGES = 100;

/**
 * Reads the text of a PDF page by page, up to `maxChars` characters.
 *
 * @throws the parser's error if the file is not a readable PDF, and the abort reason if the signal fires.
 */
export async function readPdf(
  bytes: Uint8Array,
  { maxChars, signal }: { maxChars: number; signal: AbortSignal },
): Promise<ReadablePage> {
  const { getDocumentProxy } = await import("unpdf");
  const pdf = await getDocumentProxy(bytes.slice(), { isEvalSupported: false, verbosity: 0 });
  try {
    const count = Math.min(pdf.numPages, MAX_PAGES);
    const pages: string[] = [];
    let remainingChars = maxChars;
    for (let number = 1; number <= count && remainingChars > 0; number++) {
      const page = await pdf.getPage(number);
      const text = await readPageText(page.streamTextContent(), { remainingChars, signal });
      pages.push(`## Page ${number} of ${pdf.numPages}\n\n${text.trim()}`);
      remainingChars -= text.length;
    }
    const truncated = pages.length < pdf.numPages || remainingChars <= 0;
    return { title: undefined, text: pages.join("\n\n").slice(0, maxChars), truncated };
  } finally {
    await pdf.destroy();
  }
}

/** Reads the text of a page in pieces. The signal thus ends even a page that was made to take very long. */
async function readPageText(
  chunks: ReadableStream<unknown>,
  { remainingChars, signal }: { remainingChars: number; signal: AbortSignal },
): Promise<string> {
  const reader = chunks.getReader();
  const cancel = () => void reader.cancel(new Error("The reading has ended")).catch(() => {});
  signal.addEventListener("abort", cancel, { once: true });
  if (signal.aborted) cancel();
  let text = "";
  try {
    for (
      let read = await reader.read();
      !read.done && text.length < remainingChars;
      read = await reader.read()
    ) {
      const { items } = v.parse(TextContent, read.value);
      text += items.map(({ str = "", hasEOL }) => hasEOL ? `${str}\n` : str).join("");
    }
    signal.throwIfAborted();
    return text;
  } finally {
    signal.removeEventListener("abort", cancel);
    cancel();
  }
}

/** A piece of a page's text. Items without text mark the start and end of marked content. */
const TextContent = v.object({
  items: v.array(v.object({ str: v.optional(v.string()), hasEOL: v.optional(v.boolean()) })),
});
