/**
 * Converts a body to UTF-8 if its content type names another charset.
 *
 * Some hosts name ISO-8859-1 and send UTF-8: so bytes that are UTF-8 stay as they are, except of UTF-16. Bytes of an
 * unknown charset stay as they are too.
 *
 * @example Usage
 * ```ts
 * import { toUtf8 } from "./to_utf8.ts";
 *
 * async function* body() {
 *   yield Uint8Array.of(0xfc);
 * }
 * let text = "";
 * for await (const bytes of toUtf8(body(), "application/json; charset=iso-8859-1")) {
 *   text += new TextDecoder().decode(bytes);
 * }
 * if (text !== "ü") throw new Error(text);
 * ```
 */
export function toUtf8(chunks: AsyncGenerator<Uint8Array>, contentType: string): AsyncGenerator<Uint8Array> {
  const decoder = decoderFor(contentType);
  return decoder === undefined ? chunks : reencode(chunks, decoder);
}

async function* reencode(
  chunks: AsyncGenerator<Uint8Array>,
  decoder: TextDecoder,
): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  let isOther = decoder.encoding.startsWith("utf-16");
  let held = new Uint8Array();
  for await (const chunk of chunks) {
    const bytes = held.length === 0 ? chunk : concat(held, chunk);
    const end = isOther ? bytes.length : bytes.length - incompleteLength(bytes);
    isOther ||= !isUtf8(bytes.subarray(0, end));
    held = isOther ? new Uint8Array() : bytes.slice(end);
    if (isOther) yield encoder.encode(decoder.decode(bytes, { stream: true }));
    else if (end > 0) yield bytes.subarray(0, end);
  }
  const rest = decoder.decode(held); // of a character that was cut
  if (rest !== "") yield encoder.encode(rest);
}

/** Returns the decoder of the charset in a content type; `undefined` for UTF-8 and for an unknown charset. */
function decoderFor(contentType: string): TextDecoder | undefined {
  const label = /;\s*charset="?([\w:.-]{1,40})/i.exec(contentType)?.[1] ?? "utf-8";
  try {
    const decoder = new TextDecoder(label);
    return decoder.encoding === "utf-8" ? undefined : decoder;
  } catch {
    return undefined;
  }
}

function concat(one: Uint8Array, other: Uint8Array): Uint8Array {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** Returns the number of bytes at the end that begin a UTF-8 character without ending it. */
function incompleteLength(bytes: Uint8Array): number {
  for (let length = 1; length <= 3; length++) {
    const byte = bytes.at(-length) ?? 0;
    if (byte >= 0xc0) return (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) > length ? length : 0;
    if (byte < 0x80) return 0;
  }
  return 0;
}
