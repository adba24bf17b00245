import * as v from "valibot";
import { toBase64 } from "../formats/base64.ts";
import type { ToolContent } from "../call.ts";
import { ToolError } from "../errors.ts";
import type { FileContent, Files } from "../host/files.ts";
import { type Image, readImage } from "../formats/image.ts";
import { parseNotebook } from "../formats/notebook.ts";
import { showNotebook } from "../formats/notebook_view.ts";
import { MAX_PAGES, parsePages } from "../formats/page_numbers.ts";
import { decodeText, numberLine, pluralize, toLines } from "../formats/text.ts";
import { FilePath } from "./replacement.ts";
import { defineTool } from "../tool.ts";

/** Reads a file. */
export const read = defineTool({
  name: "Read",
  description:
    "Reads a file of the workspace. Text has line numbers; by default 2000 lines are read, and long lines are cut. " +
    "Images (PNG, JPEG, GIF, WebP) and PDFs are shown as such, notebooks (.ipynb) with their outputs.",
  group: "files-read",
  hints: { readOnly: true, openWorld: false },
  input: v.object({
    file_path: FilePath,
    offset: v.optional(
      v.pipe(v.number(), v.integer(), v.minValue(0), v.description("The first line to read, counted from 1")),
    ),
    limit: v.optional(
      v.pipe(v.number(), v.integer(), v.minValue(1), v.description("The number of lines to read")),
    ),
    pages: v.optional(
      v.pipe(
        v.string(),
        v.description(`For a PDF: the pages whose text to read, such as "1-5"; at most ${MAX_PAGES}`),
      ),
    ),
  }),
  aliases: { path: "file_path", filename: "file_path" },
  async run({ file_path, offset = 1, limit = DEFAULT_LINES, pages }, { files, session }) {
    const file = await files.read(file_path);
    session.seen.set(file.path, file.version);
    const image = readImage(file.bytes);
    if (image !== undefined) return showImage(file, image);
    if (isPdf(file)) return showPdf(file, { pages: pages === "" ? undefined : pages, files });
    if (/\.ipynb$/i.test(file.path) && file.bytes.length > 0) return showNotebook(parseNotebook(file));
    return showText(file, { offset: Math.max(1, offset), limit });
  },
});

/** Default number of lines read. */
const DEFAULT_LINES = 2000;

/** Maximum characters shown. */
const MAX_SHOWN_CHARS = 100_000;

function showText(file: FileContent, { offset, limit }: { offset: number; limit: number }): string {
  const decoded = decodeText(file.bytes);
  if (decoded === undefined) {
    throw new ToolError(
      `Cannot read "${file.path}": it is a binary file of ${pluralize(file.bytes.length, "byte")}`,
    );
  }
  const lines = toLines(decoded.text);
  if (lines.length === 0) return `(${file.path} is empty)`;
  if (offset > lines.length) return `(${file.path} has only ${pluralize(lines.length, "line")})`;
  const shown: string[] = [];
  let length = 0;
  for (const line of lines.slice(offset - 1, offset - 1 + limit)) {
    const text = numberLine(offset + shown.length, line);
    if (length + text.length > MAX_SHOWN_CHARS) break;
    shown.push(text);
    length += text.length + 1;
  }
  const next = offset + shown.length;
  if (next <= lines.length) {
    shown.push(`(${pluralize(lines.length - next + 1, "more line")}; continue with offset ${next})`);
  }
  if (!decoded.exact) shown.push("(not in UTF-8; bytes that could not be decoded are shown as �)");
  return shown.join("\n");
}

/**
 * Limits of Anthropic for an image: 5 MiB of base64, and 8000 pixels a side. A larger image would make every later
 * request of the conversation fail.
 */
const MAX_IMAGE = { bytes: 5 * 1024 * 1024 / 4 * 3, side: 8000 };

function showImage(
  { path, bytes }: FileContent,
  { media_type, width = 0, height = 0 }: Image,
): ToolContent[] {
  if (bytes.length > MAX_IMAGE.bytes) {
    throw new ToolError(
      `Cannot show "${path}": the image has ${bytes.length} bytes; the limit is ${MAX_IMAGE.bytes}`,
    );
  }
  if (Math.max(width, height) > MAX_IMAGE.side) {
    throw new ToolError(
      `Cannot show "${path}": the image has ${width} × ${height} pixels; the limit is ${MAX_IMAGE.side} a side`,
    );
  }
  return [{ type: "image", source: { type: "base64", media_type, data: toBase64(bytes) } }];
}

/** Limits of a PDF that is shown whole. Anthropic accepts 100 pages, and 32 MiB for the whole request. */
const MAX_PDF = { bytes: 4 * 1024 * 1024, pages: 100 };

function isPdf({ bytes }: FileContent): boolean {
  return String.fromCharCode(...bytes.subarray(0, 5)) === "%PDF-";
}

/** Maximum characters of one page. */
const MAX_PAGE_CHARS = 20_000;

async function showPdf(
  file: FileContent,
  { pages, files }: { pages: string | undefined; files: Files },
): Promise<ToolContent[]> {
  const { path, bytes } = file;
  const pageNumbers = pages === undefined ? [] : parsePages(pages);
  if (pageNumbers === undefined) {
    throw new ToolError(`Cannot read pages ${JSON.stringify(pages)}: write them as "3", "1-5" or "1-3,7"`);
  }
  const { pageCount, pages: texts } = await files.readPdf(file, {
    pages: pageNumbers.length > MAX_PAGES ? [] : pageNumbers,
    maxChars: MAX_PAGES * MAX_PAGE_CHARS,
    maxPageChars: MAX_PAGE_CHARS,
  });
  const size = pluralize(pageCount, "page");
  if (pages === undefined) {
    if (bytes.length > MAX_PDF.bytes || pageCount > MAX_PDF.pages) {
      const limit = `${MAX_PDF.bytes} bytes and ${MAX_PDF.pages} pages`;
      throw new ToolError(
        `Cannot show "${path}" whole: it has ${
          pluralize(bytes.length, "byte")
        } and ${size}, and the limit is ` +
          `${limit}; set pages to read up to ${MAX_PAGES} pages`,
      );
    }
    const source = { type: "base64", media_type: "application/pdf", data: toBase64(bytes) } as const;
    return [{ type: "document", source, title: path }];
  }
  if (texts.length < pageNumbers.length) {
    const reason = `it has ${size}, and one call reads at most ${MAX_PAGES}`;
    throw new ToolError(`Cannot read pages ${JSON.stringify(pages)} of "${path}": ${reason}`);
  }
  return texts.map(({ number, text, truncated }) => {
    const shown = `${text.trim() || "(no text)"}${truncated ? "… [the rest of the page is cut]" : ""}`;
    return { type: "text", text: `Page ${number} of ${pageCount}:\n${shown}` };
  });
}
