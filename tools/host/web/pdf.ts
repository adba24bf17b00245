import type { Reading } from "./html.ts";

/** How many pages of a PDF are read. */
const MAX_PAGES = 100;

/**
 * Reads the text of a PDF, page by page, at most so many characters.
 *
 * @throws whatever makes the file none that can be read, and the signal's reason once it has fired.
 */
export async function readPdf(
  bytes: Uint8Array,
  { maxText, signal }: { maxText: number; signal: AbortSignal },
): Promise<Reading> {
  const { getDocumentProxy } = await import("unpdf");
  const pdf = await getDocumentProxy(bytes.slice(), { isEvalSupported: false, verbosity: 0 });
  try {
    const count = Math.min(pdf.numPages, MAX_PAGES);
    const pages: string[] = [];
    let length = 0;
    for (let number = 1; number <= count && length <= maxText; number++) {
      signal.throwIfAborted();
      const page = await pdf.getPage(number);
      const { items } = await page.getTextContent();
      const text = items.map((item) => "str" in item ? item.str + (item.hasEOL ? "\n" : "") : "").join("");
      pages.push(`## Page ${number} of ${pdf.numPages}\n\n${text.trim()}`);
      length += text.length;
    }
    const truncated = pages.length < pdf.numPages || length > maxText;
    return { title: undefined, text: pages.join("\n\n").slice(0, maxText), truncated };
  } finally {
    await pdf.destroy();
  }
}
