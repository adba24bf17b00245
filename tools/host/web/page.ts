import type { WebLimits } from "../../policy/web.ts";
import { shortenUrl } from "../../policy/url.ts";
import { FetchError } from "../../errors.ts";
import { EncodingError, readBody, type ResponseBody } from "./body.ts";
import { decodePage } from "./charset.ts";
import type { PageResponse } from "./connect.ts";
import { type ReadablePage, readHtml } from "./html.ts";
import { kindOfMediaType, type MediaType, type PageKind, readMediaType, sniffKind } from "./media_type.ts";
import { PdfError, type PdfText, readPdf } from "../pdf/read_pdf.ts";

/** A web page. */
export interface Page {
  /** URL after all redirects. */
  readonly url: string;
  readonly status: number;
  /** Media type from the response header, in lower case and without parameters, or else detected from the bytes. */
  readonly mediaType: string;
  readonly title: string | undefined;
  /** Number of bytes read, after decompression. */
  readonly bytes: number;
  /** HTML as Markdown; a PDF as its text or as base64, by the option `pdf`; other text unchanged. */
  readonly content: { type: "text"; text: string } | { type: "pdf"; data: string };
  /** True if the page exceeds a limit. */
  readonly truncated: boolean;
  /** Redirect target on another host that was not followed; the content is empty then. */
  readonly movedTo: string | undefined;
}

/** Options of {@link readPage}. */
export interface ReadPageOptions {
  readonly limits: WebLimits;
  readonly pdf: "text" | "bytes";
  readonly signal: AbortSignal;
}

/**
 * Reads the response of a host.
 *
 * @throws {FetchError} if the status is not 2xx, or the content cannot be read.
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
    throw new FetchError(code, errorMessage(`its host responded with status ${response.status}`));
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
    throw new FetchError("url_not_accessible", errorMessage("its content is incomplete or corrupt"), {
      cause,
    });
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
      try {
        return toPageContent(toReadablePage(await readPdf(bytes, { maxChars: limits.textBytes }, signal)));
      } catch (cause) {
        if (!(cause instanceof PdfError)) throw cause;
        const code = cause.tooLarge ? "content_too_large" : "unsupported_content_type";
        throw new FetchError(code, errorMessage(`it is not a readable PDF, because ${cause.message}`), {
          cause,
        });
      }
    }
  }
}

function toReadablePage({ pageCount, pages }: PdfText): ReadablePage {
  const texts = pages.map(({ number, text }) => `## Page ${number} of ${pageCount}\n\n${text.trim()}`);
  const truncated = pages.length < pageCount || pages.some((page) => page.truncated);
  return { title: undefined, text: texts.join("\n\n"), truncated };
}

function toPageContent(
  { text, title, truncated }: ReadablePage,
): Pick<Page, "content" | "title" | "truncated"> {
  return { content: { type: "text", text }, title, truncated };
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}
