/** Size of an image, in pixels. */
export interface ImageSize {
  width: number;
  height: number;
}

/**
 * Reads the size of a PNG, JPEG, GIF or WebP image from its first bytes. Returns `undefined` if they do not hold it.
 *
 * Never throws, and takes linear time.
 *
 * @example Usage
 * ```ts
 * import { readImageSize } from "./image_size.ts";
 *
 * const gif = Uint8Array.from([71, 73, 70, 56, 57, 97, 64, 1, 240, 0]);
 * if (readImageSize(gif)?.width !== 320) throw new Error("the size of a GIF follows its six-byte signature");
 * ```
 */
export function readImageSize(bytes: Uint8Array): ImageSize | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = matchesAt(bytes, 0, "\x89PNG") && bytes.length >= 24
    ? { width: view.getUint32(16), height: view.getUint32(20) }
    : matchesAt(bytes, 0, "GIF8") && bytes.length >= 10
    ? { width: view.getUint16(6, true), height: view.getUint16(8, true) }
    : matchesAt(bytes, 0, "RIFF") && matchesAt(bytes, 8, "WEBP") && bytes.length >= 30
    ? readWebp(bytes, view)
    : matchesAt(bytes, 0, "\xff\xd8")
    ? readJpeg(view)
    : undefined;
  return size && size.width > 0 && size.height > 0 ? size : undefined;
}

/** Source: https://developers.google.com/speed/webp/docs/riff_container */
function readWebp(bytes: Uint8Array, view: DataView): ImageSize | undefined {
  if (matchesAt(bytes, 12, "VP8X")) {
    const dimensionAt = (offset: number) =>
      1 + view.getUint16(offset, true) + (view.getUint8(offset + 2) << 16);
    return { width: dimensionAt(24), height: dimensionAt(27) };
  }
  if (matchesAt(bytes, 12, "VP8L")) {
    const bits = view.getUint32(21, true);
    return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >> 14) & 0x3fff) };
  }
  if (!matchesAt(bytes, 12, "VP8 ")) return undefined;
  return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
}

/** Skips segments up to the first frame header (C0 to CF, except C4, C8 and CC, which are not frames). */
function readJpeg(view: DataView): ImageSize | undefined {
  let at = 2;
  while (at + 9 <= view.byteLength) {
    if (view.getUint8(at) !== 0xff) return undefined;
    const marker = view.getUint8(at + 1);
    if (marker === 0xff) {
      at++; // fill byte
    } else if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) {
      return { width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
    } else {
      at += 2 + view.getUint16(at + 2);
    }
  }
  return undefined;
}

function matchesAt(bytes: Uint8Array, at: number, signature: string): boolean {
  return Array.from(signature).every((char, index) => bytes[at + index] === char.charCodeAt(0));
}
