/** Kinds of pages that can be read. */
export type PageKind = "html" | "text" | "pdf";

/** Parsed header `content-type`. */
export interface MediaType {
  /** Media type in lower case, without parameters; empty if missing or invalid. */
  readonly name: string;
  readonly charset: string | undefined;
}

/** Parses the header `content-type`. */
export function readMediaType(header: string | undefined): MediaType {
  const [name = "", ...parameters] = (header ?? "").split(";").map((part) => part.trim());
  const charset = parameters.find((parameter) => /^charset=/i.test(parameter))?.slice("charset=".length);
  const isName = /^[\w.+-]{1,60}\/[\w.+-]{1,60}$/.test(name);
  return { name: isName ? name.toLowerCase() : "", charset: charset?.replaceAll('"', "").trim() };
}

/** Returns the kind of a media type: `undefined` if it cannot be read, `unknown` if the bytes must decide. */
export function kindOfMediaType(name: string): PageKind | "unknown" | undefined {
  if (name === "text/html" || name === "application/xhtml+xml") return "html";
  if (name === "application/pdf" || name === "application/x-pdf") return "pdf";
  if (name === "" || name === "application/octet-stream" || name === "binary/octet-stream") return "unknown";
  if (name.startsWith("text/") || TEXT_TYPES.has(name) || /\+(json|xml|yaml)$/.test(name)) return "text";
  return undefined;
}

const TEXT_TYPES = new Set(
  "json xml javascript ecmascript yaml x-yaml toml x-ndjson x-sh sql graphql rtf x-tex".split(" ").map((
    name,
  ) => `application/${name}`),
);

/** Detects the kind of a page by its first 1,024 bytes; returns undefined for binary data. */
export function sniffKind(bytes: Uint8Array): PageKind | undefined {
  const start = new TextDecoder("latin1").decode(bytes.subarray(0, 1024));
  if (start.startsWith("%PDF-")) return "pdf";
  if (start.includes("\0")) return undefined;
  return /^\s*<(!doctype html|html|head|body)\b/i.test(start) ? "html" : "text";
}
