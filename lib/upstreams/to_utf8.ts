/**
 * Converts a body to UTF-8 if its content type names another charset. Bytes of an unknown charset stay as they are.
 *
 * @example Usage
 * ```ts
 * import { toUtf8 } from "./to_utf8.ts";
 *
 * async function* body() {
 *   yield Uint8Array.of(0xfc);
 * }
 * for await (const bytes of toUtf8(body(), "application/json; charset=iso-8859-1")) {
 *   if (new TextDecoder().decode(bytes) !== "ü") throw new Error("not converted");
 * }
 * ```
 */
export async function* toUtf8(
  chunks: AsyncGenerator<Uint8Array>,
  contentType: string,
): AsyncGenerator<Uint8Array> {
  const decoder = decoderFor(contentType);
  if (decoder === undefined) return yield* chunks;
  const encoder = new TextEncoder();
  for await (const bytes of chunks) yield encoder.encode(decoder.decode(bytes, { stream: true }));
  const rest = decoder.decode(); // of a character that was cut
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
