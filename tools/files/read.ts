import * as v from "valibot";
import { toBase64 } from "../formats/base64.ts";
import type { ToolContent } from "../call.ts";
import { ToolError } from "../errors.ts";
import type { FileContent } from "../host/files.ts";
import { type Image, readImage } from "../formats/image.ts";
import { parseNotebook } from "../formats/notebook.ts";
import { showNotebook } from "../formats/notebook_view.ts";
import { MAX_PAGES, openPdf, parsePages } from "../formats/pdf.ts";
import { decodeText, numberLine, pluralize, toLines } from "../formats/text.ts";
import { FilePath } from "./replacement.ts";
import { defineTool } from "../tool.ts";

/** Reads a file. */
export const read = defineTool({
  name: "Read",
  description:
    "Reads a file of the workspace. Text comes with line numbers, 2000 lines at once, long lines cut; " +
    "images (PNG, JPEG, GIF, WebP) and PDFs are shown as such, notebooks (.ipynb) with their outputs.",
  group: "files-read",
  input: v.object({
    file_path: FilePath,
    offset: v.optional(
      v.pipe(v.number(), v.integer(), v.minValue(0), v.description("The line to begin with, counted from 1")),
    ),
    limit: v.optional(
      v.pipe(v.number(), v.integer(), v.minValue(1), v.description("How many lines to read")),
    ),
    pages: v.optional(
      v.pipe(
        v.string(),
        v.description(`Of a PDF: the pages whose text to read, as "1-5"; ${MAX_PAGES} at once`),
      ),
    ),
  }),
  aliases: { path: "file_path", filename: "file_path" },
  async run({ file_path, offset = 1, limit = DEFAULT_LINES, pages }, { files, session }) {
    const file = await files.read(file_path);
    session.seen.set(file.path, file.version);
    const image = readImage(file.bytes);
    if (image !== undefined) return showImage(file, image);
    if (isPdf(file)) return showPdf(file, pages === "" ? undefined : pages);
    if (/\.ipynb$/i.test(file.path) && file.bytes.length > 0) return showNotebook(parseNotebook(file));
    return showText(file, { offset: Math.max(1, offset), limit });
  },
});

/** How many lines are read where nothing is said. */
const DEFAULT_LINES = 2000;

/** How many characters are shown at once. */
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
    shown.push(`(${pluralize(lines.length - next + 1, "more line")}; read on with offset ${next})`);
  }
  if (!decoded.exact) shown.push("(not in UTF-8; what could not be read is shown as �)");
  return shown.join("\n");
}

/** Anthropic takes 5 MiB of base64 and 8000 pixels a side; one image beyond it would end the whole conversation. */
const MAX_IMAGE = { bytes: 5 * 1024 * 1024 / 4 * 3, side: 8000 };

function showImage(
  { path, bytes }: FileContent,
  { media_type, width = 0, height = 0 }: Image,
): ToolContent[] {
  if (bytes.length > MAX_IMAGE.bytes) {
    throw new ToolError(
      `Cannot show "${path}": the image has ${bytes.length} bytes, and ${MAX_IMAGE.bytes} is the limit`,
    );
  }
  if (Math.max(width, height) > MAX_IMAGE.side) {
    throw new ToolError(
      `Cannot show "${path}": the image has ${width} × ${height} pixels, and ${MAX_IMAGE.side} a side is the limit`,
    );
  }
  return [{ type: "image", source: { type: "base64", media_type, data: toBase64(bytes) } }];
}

/** A PDF that is shown whole: Anthropic takes 100 pages, and 32 MiB of all the request. */
const MAX_PDF = { bytes: 4 * 1024 * 1024, pages: 100 };

function isPdf({ bytes }: FileContent): boolean {
  return String.fromCharCode(...bytes.subarray(0, 5)) === "%PDF-";
}

async function showPdf({ path, bytes }: FileContent, pages: string | undefined): Promise<ToolContent[]> {
  const pageNumbers = pages === undefined ? undefined : parsePages(pages);
  if (pages !== undefined && pageNumbers === undefined) {
    throw new ToolError(`Cannot read the pages ${JSON.stringify(pages)}: say them as "3", "1-5" or "1-3,7"`);
  }
  const pdf = await openPdf(bytes, path);
  const advice = `it has ${
    pluralize(pdf.pageCount, "page")
  }; set pages, ${MAX_PAGES} at once, to read their text`;
  if (pageNumbers === undefined) {
    if (bytes.length > MAX_PDF.bytes || pdf.pageCount > MAX_PDF.pages) {
      throw new ToolError(
        `Cannot show "${path}" whole: ${pluralize(bytes.length, "byte")} are too many, ${advice}`,
      );
    }
    const source = { type: "base64", media_type: "application/pdf", data: toBase64(bytes) } as const;
    return [{ type: "document", source, title: path }];
  }
  if (pageNumbers.length > MAX_PAGES || pageNumbers.some((page) => page > pdf.pageCount)) {
    throw new ToolError(`Cannot read the pages ${JSON.stringify(pages)} of "${path}": ${advice}`);
  }
  const texts: ToolContent[] = [];
  for (const page of pageNumbers) {
    const text = (await pdf.pageText(page)).trim();
    texts.push({ type: "text", text: `Page ${page} of ${pdf.pageCount}:\n${text || "(no text)"}` });
  }
  return texts;
}
