import { ToolError } from "../errors.ts";

/** An open PDF. */
export interface Pdf {
  pageCount: number;
  /** Returns the text of a page. Pages are counted from 1. */
  pageText(page: number): Promise<string>;
}

/**
 * Opens a PDF.
 *
 * @throws {ToolError} if it is damaged or password-protected.
 */
export async function openPdf(bytes: Uint8Array<ArrayBuffer>, path: string): Promise<Pdf> {
  const { getDocumentProxy } = await import("unpdf");
  try {
    // `getDocumentProxy()` detaches the buffer that it is passed, so it gets a copy.
    const pdf = await getDocumentProxy(bytes.slice(), { isEvalSupported: false, verbosity: 0 });
    return {
      pageCount: pdf.numPages,
      async pageText(page) {
        const { items } = await (await pdf.getPage(page)).getTextContent();
        const text = items.map((item) => "str" in item ? item.str + (item.hasEOL ? "\n" : "") : "").join("");
        return text.length <= MAX_PAGE_CHARS
          ? text
          : `${text.slice(0, MAX_PAGE_CHARS)}… [${text.length - MAX_PAGE_CHARS} more characters]`;
      },
    };
  } catch (error) {
    const reason = error instanceof Error && error.name === "PasswordException"
      ? "it is password-protected"
      : "it is damaged or not a PDF";
    throw new ToolError(`Cannot read "${path}": ${reason}`, { cause: error });
  }
}

/** Parses a list of pages such as `3`, `1-5` or `1-3,7`. Returns undefined if it is invalid. */
export function parsePages(text: string): number[] | undefined {
  const pages = new Set<number>();
  for (const part of text.split(",")) {
    const [, first, last] = /^\s*(\d{1,6})\s*(?:-\s*(\d{1,6})\s*)?$/.exec(part) ?? [];
    if (first === undefined) return undefined;
    for (let page = Number(first); page <= Number(last ?? first) && pages.size <= MAX_PAGES; page += 1) {
      pages.add(page);
    }
  }
  return pages.size === 0 || pages.has(0) ? undefined : [...pages].sort((a, b) => a - b);
}

/** Maximum characters of one page. */
const MAX_PAGE_CHARS = 20_000;

/** Maximum number of pages whose text one call reads. */
export const MAX_PAGES = 20;
