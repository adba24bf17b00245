/**
 * Decodes text. The charset is that of the byte order mark, else `charset` (from the response headers), else a
 * declaration in the first 1,024 bytes, else UTF-8.
 */
export function decodePage(bytes: Uint8Array, charset: string | undefined): string {
  const label = detectBom(bytes) ?? charset ?? findDeclaredCharset(bytes) ?? "utf-8";
  return createDecoder(label).decode(bytes);
}

function detectBom(bytes: Uint8Array): string | undefined {
  const [first, second, third] = bytes;
  if (first === 0xef && second === 0xbb && third === 0xbf) return "utf-8";
  if (first === 0xfe && second === 0xff) return "utf-16be";
  if (first === 0xff && second === 0xfe) return "utf-16le";
  return undefined;
}

/** Reads `<meta charset="…">`, `<meta http-equiv … content="…; charset=…">` or `<?xml … encoding="…"?>`. */
function findDeclaredCharset(bytes: Uint8Array): string | undefined {
  const start = new TextDecoder("latin1").decode(bytes.subarray(0, 1024));
  const [, declared] =
    /<(?:meta[^>]{0,200}charset|\?xml[^>]{0,200}encoding)\s*=\s*["']?([\w-]{1,40})/i.exec(start) ?? [];
  // A declaration that is readable byte by byte is not in UTF-16.
  return declared?.toLowerCase().startsWith("utf-16") ? "utf-8" : declared;
}

function createDecoder(label: string): TextDecoder {
  try {
    return new TextDecoder(label);
  } catch {
    return new TextDecoder();
  }
}
