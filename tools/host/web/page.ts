import type { WebLimits } from "../../policy/web.ts";
import { shortenUrl } from "../../policy/url.ts";
import { FetchError } from "../../errors.ts";
import { EncodingError, readBody, type ResponseBody } from "./body.ts";
import { decodePage } from "./charset.ts";
import type { PageResponse } from "./connect.ts";
import { type ReadablePage, readHtml } from "./html.ts";
import { kindOfMediaType, type MediaType, type PageKind, readMediaType, sniffKind } from "./media_type.ts";
import { readPdf } from "./pdf.ts";
import { isPdfWithinLimit } from "./pdf_size.ts";

/** A page of the web. */
export interface Page {
  /** Where the page was in the end, after all redirects. */
  readonly url: string;
  readonly status: number;
  /** What the page is: in the words of its host, in lower case and without parameters, or by its bytes. */
  readonly mediaType: string;
  readonly title: string | undefined;
  /** The bytes that were read, unpacked. */
  readonly bytes: number;
  /** HTML is Markdown here; a PDF is its own bytes in base64, or its text, as was asked; other text is as it was. */
  readonly content: { type: "text"; text: string } | { type: "pdf"; data: string };
  /** Whether the page has more than was read. */
  readonly truncated: boolean;
  /** Where the page has moved to, on another host that was not asked; there is no content then. */
  readonly movedTo: string | undefined;
}

/** How to read a page. */
export interface ReadPageOptions {
  readonly limits: WebLimits;
  readonly pdf: "text" | "bytes";
  readonly signal: AbortSignal;
}

/**
 * Reads what a host has answered.
 *
 * @throws {FetchError} for a status that tells of a failure, and for what cannot be read.
 */
export async function readPage(
  { url, response }: { url: URL; response: PageResponse },
  options: ReadPageOptions,
): Promise<Page> {
  const mediaType = readMediaType(response.header("content-type"));
  const kind = kindOfMediaType(mediaType.name);
  const errorMessage = (why: string) => `Cannot read "${shortenUrl(url.href)}": ${why}`;
  if (response.status < 200 || response.status > 299) {
    response.close();
    const code = response.status === 429 ? "too_many_requests" : "url_not_accessible";
    throw new FetchError(code, errorMessage(`its host answers with the status ${response.status}`));
  }
  if (kind === undefined) {
    response.close();
    throw new FetchError(
      "unsupported_content_type",
      errorMessage(`"${mediaType.name}" is neither text nor PDF`),
    );
  }

  const { textBytes, pdfBytes } = options.limits;
  const body = await readLimitedBody(response, {
    limit: kind === "html" || kind === "text" ? textBytes : pdfBytes,
    errorMessage,
  });
  const pageKind = kind === "unknown" ? sniffKind(body.bytes) : kind;
  if (pageKind === undefined) {
    throw new FetchError("unsupported_content_type", errorMessage("it is neither text nor PDF"));
  }
  const start = pageKind === "pdf" ? body : truncateBody(body, textBytes);
  const { content, title, truncated } = await readKind(start, {
    ...options,
    url,
    kind: pageKind,
    mediaType,
    errorMessage,
  });
  return {
    url: url.href,
    status: response.status,
    mediaType: kind === "unknown" ? MEDIA_TYPES[pageKind] : mediaType.name,
    title,
    bytes: start.bytes.byteLength,
    content,
    truncated: start.truncated || truncated,
    movedTo: undefined,
  };
}

const MEDIA_TYPES: Record<PageKind, string> = {
  html: "text/html",
  text: "text/plain",
  pdf: "application/pdf",
};

/**
 * Bytes that a PDF may have once it is unpacked, for its text to be read: one string in it as long as that holds up
 * everything else for some seconds.
 */
const MAX_UNPACKED_PDF_BYTES = 8 * 1024 * 1024;

type ErrorMessage = (why: string) => string;

async function readLimitedBody(
  response: PageResponse,
  { limit, errorMessage }: { limit: number; errorMessage: ErrorMessage },
): Promise<ResponseBody> {
  try {
    return await readBody(response, limit);
  } catch (cause) {
    if (cause instanceof EncodingError) {
      throw new FetchError("unsupported_content_type", errorMessage(cause.message), { cause });
    }
    throw new FetchError("url_not_accessible", errorMessage("its content breaks off"), { cause });
  }
}

function truncateBody({ bytes, truncated }: ResponseBody, limit: number): ResponseBody {
  return { bytes: bytes.subarray(0, limit), truncated: truncated || bytes.byteLength > limit };
}

interface KindOptions extends ReadPageOptions {
  url: URL;
  kind: PageKind;
  mediaType: MediaType;
  errorMessage: ErrorMessage;
}

async function readKind(
  { bytes, truncated }: ResponseBody,
  { url, kind, mediaType, limits, pdf, signal, errorMessage }: KindOptions,
): Promise<Pick<Page, "content" | "title" | "truncated">> {
  switch (kind) {
    case "html":
      return toPageContent(await readHtml(decodePage(bytes, mediaType.charset), url));
    case "text": {
      const text = decodePage(bytes, mediaType.charset);
      return { content: { type: "text", text }, title: undefined, truncated: false };
    }
    case "pdf": {
      if (truncated) {
        throw new FetchError(
          "content_too_large",
          errorMessage(`it is a PDF of more than ${limits.pdfBytes} bytes`),
        );
      }
      if (pdf === "bytes") {
        return { content: { type: "pdf", data: toBase64(bytes) }, title: undefined, truncated: false };
      }
      if (!await isPdfWithinLimit(bytes, MAX_UNPACKED_PDF_BYTES)) {
        throw new FetchError("content_too_large", errorMessage("it is a PDF that unpacks to too much"));
      }
      try {
        return toPageContent(await readPdf(bytes, { maxChars: limits.textBytes, signal }));
      } catch (cause) {
        signal.throwIfAborted();
        throw new FetchError("unsupported_content_type", errorMessage("it is no PDF that can be read"), {
          cause,
        });
      }
    }
  }
}

function toPageContent(
  { text, title, truncated }: ReadablePage,
): Pick<Page, "content" | "title" | "truncated"> {
  return { content: { type: "text", text }, title, truncated };
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}
