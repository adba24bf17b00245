/** Type and size of an image. */
export interface Image {
  media_type: "image/png" | "image/jpeg" | "image/gif" | "image/webp";
  /** In pixels; undefined if the bytes do not contain it. */
  width: number | undefined;
  height: number | undefined;
}

/** Detects an image by its first bytes, not by its name. Returns undefined unless models accept its type. */
export function readImage(bytes: Uint8Array): Image | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const ascii = (start: number, end: number) => String.fromCharCode(...bytes.subarray(start, end));
  if (ascii(0, 8) === "\x89PNG\r\n\x1a\n" && ascii(12, 16) === "IHDR" && bytes.length >= 24) {
    return { media_type: "image/png", width: view.getUint32(16), height: view.getUint32(20) };
  }
  if (/^GIF8[79]a$/.test(ascii(0, 6)) && bytes.length >= 10) {
    return { media_type: "image/gif", width: view.getUint16(6, true), height: view.getUint16(8, true) };
  }
  if (ascii(0, 4) === "RIFF" && ascii(8, 12) === "WEBP" && bytes.length >= 30) {
    return { media_type: "image/webp", ...readWebpSize(view, ascii(12, 16)) };
  }
  if (ascii(0, 3) === "\xff\xd8\xff") return { media_type: "image/jpeg", ...readJpegSize(view) };
  return undefined;
}

interface Size {
  width: number | undefined;
  height: number | undefined;
}

function readWebpSize(view: DataView, kind: string): Size {
  switch (kind) {
    case "VP8 ":
      return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
    case "VP8L": {
      const bits = view.getUint32(21, true);
      return { width: (bits & 0x3fff) + 1, height: ((bits >> 14) & 0x3fff) + 1 };
    }
    case "VP8X":
      return {
        width: (view.getUint32(24, true) & 0xffffff) + 1,
        height: (view.getUint32(26, true) >> 8) + 1,
      };
    default:
      return { width: undefined, height: undefined };
  }
}

/** Scans the segments up to the frame header, which contains the size. */
function readJpegSize(view: DataView): Size {
  let at = 2;
  while (at + 9 <= view.byteLength && view.getUint8(at) === 0xff) {
    const marker = view.getUint8(at + 1);
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      return { width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
    }
    at += marker === 0xff ? 1 : 2 + view.getUint16(at + 2);
  }
  return { width: undefined, height: undefined };
}
