import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readImageSize } from "../../lib/tokens/image_size.ts";
import { countFile, countImage, countPixels, estimatePages } from "../../lib/tokens/media.ts";

const SIZE = { width: 320, height: 240 };

/** The beginnings of pictures of 320 by 240 pixels. */
const HEADS: Record<string, Uint8Array> = {
  png: bytes("\x89PNG\r\n\x1a\n", [0, 0, 0, 13], "IHDR", [0, 0, 1, 64], [0, 0, 0, 240], [8, 6, 0, 0, 0]),
  gif: bytes("GIF89a", [64, 1, 240, 0], [0, 0, 0]),
  jpeg: bytes([0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2], [0xff, 0xc0, 0, 17, 8, 0, 240, 1, 64, 3]),
  "progressive jpeg after a table and filling": bytes(
    [0xff, 0xd8, 0xff, 0xc4, 0, 3, 9, 0xff, 0xff],
    [0xff, 0xc2, 0, 17, 8, 0, 240, 1, 64, 3],
  ),
  "lossy webp": bytes("RIFF", [0, 0, 0, 0], "WEBPVP8 ", [0, 0, 0, 0, 0, 0, 0, 0x9d, 1, 0x2a], [
    64,
    1,
    240,
    0,
  ]),
  "lossless webp": bytes(
    "RIFF",
    [0, 0, 0, 0],
    "WEBPVP8L",
    [0, 0, 0, 0, 0x2f],
    [0x3f, 0xc1, 0x3b, 0],
    [0, 0, 0, 0, 0],
  ),
  "extended webp": bytes("RIFF", [0, 0, 0, 0], "WEBPVP8X", [0, 0, 0, 0, 0, 0, 0, 0], [63, 1, 0, 239, 0, 0]),
};

for (const [kind, head] of Object.entries(HEADS)) {
  test(`readImageSize() reads a ${kind}, and returns undefined if it is cut before its size`, () => {
    assert.deepEqual(readImageSize(head), SIZE);
    for (let end = 0; end < head.length; end++) {
      const size = readImageSize(head.subarray(0, end));
      assert.ok(size === undefined || (size.width === 320 && size.height === 240), String(end));
    }
    assert.equal(readImageSize(head.subarray(0, 9)), undefined);
  });
}

test("readImageSize() never throws and never returns a size of zero", () => {
  const starts = fc.constantFrom(...Object.values(HEADS), new Uint8Array());
  fc.assert(fc.property(starts, fc.nat(40), fc.uint8Array({ maxLength: 60 }), (head, cut, more) => {
    const size = readImageSize(Uint8Array.from([...head.subarray(0, cut), ...more]));
    if (size !== undefined) assert.ok(size.width > 0 && size.height > 0);
  }));
});

const PIXELS: [width: number, height: number, tokens: number][] = [
  [1, 1, 1],
  [320, 240, 103],
  [1000, 1000, 1334],
  [1092, 1092, 1590],
  [4000, 4000, 1600],
  [8000, 100, 41],
];
for (const [width, height, tokens] of PIXELS) {
  test(`countPixels() returns ${tokens} tokens for ${width} by ${height} pixels`, () => {
    assert.equal(countPixels({ data: base64(png(width, height)) }), tokens);
  });
}

test("countPixels() finds the size of a photograph after 60 kB of metadata", () => {
  const filling = Array.from({ length: 60_000 }, () => 7);
  const photo = bytes(
    [0xff, 0xd8, 0xff, 0xe1, 60_002 >> 8, 60_002 & 255],
    filling,
    HEADS.jpeg?.subarray(8) ?? [],
  );
  assert.equal(countPixels({ data: base64(photo) }), 103);
});

test("countImage() counts an unreadable image as a large one", () => {
  const url = { type: "url" as const, url: "https://example.com/bee.png" };
  assert.equal(countImage({ type: "image", source: url }), 1600);
  for (const data of ["", "!!!!", "AAAA", "iVBOR"]) {
    assert.equal(
      countImage({ type: "image", source: { type: "base64", media_type: "image/png", data } }),
      1600,
    );
  }
});

const PDFS: [what: string, pdf: string, pages: number][] = [
  ["the count of its tree", "%PDF-1.4 1 0 obj << /Type /Pages /Kids [2 0 R] /Count 12 >> %%EOF", 12],
  ["the largest of several counts", "<< /Count 3 >> << /Count 40 >> << /Count 37 >>", 40],
  ["the head of a linearized file", "%PDF-1.5 1 0 obj <</Linearized 1/L 9/O 11/N 7>> endobj", 7],
  ["the size of a small file", "%PDF-1.7", 1],
  ["a count above the maximum of Claude", "<< /Count 99999 >>", 600],
  ["the size of a large file", "x".repeat(560_000), 10],
];
for (const [what, pdf, pages] of PDFS) {
  test(`estimatePages() estimates from ${what}`, () => assert.equal(estimatePages(btoa(pdf)), pages));
}

test("estimatePages() finds a count at the end of a long file", () => {
  assert.equal(estimatePages(btoa("x".repeat(900_001) + "<< /Count 5 >>")), 5);
});

test("countFile() counts pages, but not text", () => {
  const data = btoa("<< /Count 3 >>");
  const base64 = { type: "base64" as const, media_type: "application/pdf", data };
  assert.equal(countFile({ type: "document", source: base64 }), 6000);
  assert.equal(countFile({ type: "document", source: { type: "text", data: "Bees." } }), 0);
  assert.equal(countFile({ type: "document", source: { type: "content", content: "Bees." } }), 0);
  assert.equal(countFile({ type: "document", source: { type: "url", url: "https://example.com/" } }), 3000);
});

function png(width: number, height: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(24));
  bytes("\x89PNG").forEach((byte, at) => view.setUint8(at, byte));
  view.setUint32(16, width);
  view.setUint32(20, height);
  return new Uint8Array(view.buffer);
}

function bytes(...pieces: (string | Iterable<number>)[]): Uint8Array {
  return Uint8Array.from(
    pieces.flatMap((piece) =>
      typeof piece === "string" ? Array.from(piece, (letter) => letter.charCodeAt(0)) : [...piece]
    ),
  );
}

function base64(data: Uint8Array): string {
  return btoa(Array.from(data, (byte) => String.fromCharCode(byte)).join(""));
}
