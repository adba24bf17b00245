import type { WebLimits } from "../../policy/web.ts";
import { toShown } from "../../policy/url.ts";
import { FetchError } from "../../errors.ts";
import { type Body, EncodingError, readBody } from "./body.ts";
import { decodeText } from "./charset.ts";
import type { Reply } from "./connect.ts";
import { readHtml, type Reading } from "./html.ts";
import { type Kind, type MediaType, readMediaType, sniffKind, toKind } from "./media_type.ts";
import { readPdf } from "./pdf.ts";
import { isBearablePdf } from "./pdf_size.ts";

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
export interface ReadOptions {
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
  { url, reply }: { url: URL; reply: Reply },
  options: ReadOptions,
): Promise<Page> {
  const mediaType = readMediaType(reply.header("content-type"));
  const kind = toKind(mediaType.name);
  const cannot = (why: string) => `Cannot read "${toShown(url.href)}": ${why}`;
  if (reply.status < 200 || reply.status > 299) {
    reply.close();
    const code = reply.status === 429 ? "too_many_requests" : "url_not_accessible";
    throw new FetchError(code, cannot(`its host answers with the status ${reply.status}`));
  }
  if (kind === undefined) {
    reply.close();
    throw new FetchError("unsupported_content_type", cannot(`"${mediaType.name}" is neither text nor PDF`));
  }

  const { textBytes, pdfBytes } = options.limits;
  const body = await readWhole(reply, {
    limit: kind === "html" || kind === "text" ? textBytes : pdfBytes,
    cannot,
  });
  const known = kind === "unknown" ? sniffKind(body.bytes) : kind;
  if (known === undefined) {
    throw new FetchError("unsupported_content_type", cannot("it is neither text nor PDF"));
  }
  const start = known === "pdf" ? body : cut(body, textBytes);
  const { content, title, truncated } = await readKind(start, {
    ...options,
    url,
    kind: known,
    mediaType,
    cannot,
  });
  return {
    url: url.href,
    status: reply.status,
    mediaType: kind === "unknown" ? NAMES[known] : mediaType.name,
    title,
    bytes: start.bytes.byteLength,
    content,
    truncated: start.truncated || truncated,
    movedTo: undefined,
  };
}

const NAMES: Record<Kind, string> = { html: "text/html", text: "text/plain", pdf: "application/pdf" };

/**
 * Bytes that a PDF may have once it is unpacked, for its text to be read: one string in it as long as that holds up
 * everything else for some seconds.
 */
const UNPACKED_PDF = 8 * 1024 * 1024;

type Cannot = (why: string) => string;

async function readWhole(reply: Reply, { limit, cannot }: { limit: number; cannot: Cannot }): Promise<Body> {
  try {
    return await readBody(reply, limit);
  } catch (cause) {
    if (cause instanceof EncodingError) {
      throw new FetchError("unsupported_content_type", cannot(cause.message), { cause });
    }
    throw new FetchError("url_not_accessible", cannot("its content breaks off"), { cause });
  }
}

function cut({ bytes, truncated }: Body, limit: number): Body {
  return { bytes: bytes.subarray(0, limit), truncated: truncated || bytes.byteLength > limit };
}

interface KindOptions extends ReadOptions {
  url: URL;
  kind: Kind;
  mediaType: MediaType;
  cannot: Cannot;
}

async function readKind(
  { bytes, truncated }: Body,
  { url, kind, mediaType, limits, pdf, signal, cannot }: KindOptions,
): Promise<Pick<Page, "content" | "title" | "truncated">> {
  switch (kind) {
    case "html":
      return toContent(await readHtml(decodeText(bytes, mediaType.charset), url));
    case "text": {
      const text = decodeText(bytes, mediaType.charset);
      return { content: { type: "text", text }, title: undefined, truncated: false };
    }
    case "pdf": {
      if (truncated) {
        throw new FetchError(
          "content_too_large",
          cannot(`it is a PDF of more than ${limits.pdfBytes} bytes`),
        );
      }
      if (pdf === "bytes") {
        return { content: { type: "pdf", data: toBase64(bytes) }, title: undefined, truncated: false };
      }
      if (!await isBearablePdf(bytes, UNPACKED_PDF)) {
        throw new FetchError("content_too_large", cannot("it is a PDF that unpacks to too much"));
      }
      try {
        return toContent(await readPdf(bytes, { maxText: limits.textBytes, signal }));
      } catch (cause) {
        signal.throwIfAborted();
        throw new FetchError("unsupported_content_type", cannot("it is no PDF that can be read"), { cause });
      }
    }
  }
}

function toContent({ text, title, truncated }: Reading): Pick<Page, "content" | "title" | "truncated"> {
  return { content: { type: "text", text }, title, truncated };
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}
