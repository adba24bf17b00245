import assert from "node:assert/strict";
import { test } from "node:test";
import { toUtf8 } from "../../lib/upstreams/response/to_utf8.ts";

const TEXT = 'data: {"a":"Grüße, ÜÄÖ, €"}\n\n';

const toLatin = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));
const toUtf16 = (text: string) =>
  new Uint8Array(new Uint16Array(Array.from(text, (c) => c.charCodeAt(0))).buffer);

/** Content types, bytes, and the decoded text. */
const BODIES: [contentType: string, bytes: Uint8Array, text: string][] = [
  ["application/json; charset=utf-8", new TextEncoder().encode(TEXT), TEXT],
  ["application/json; charset=unheard-of", new TextEncoder().encode(TEXT), TEXT],
  ["text/event-stream;charset=ISO-8859-1", new TextEncoder().encode(TEXT), TEXT],
  ["text/event-stream; charset=iso-8859-1", toLatin("Grüße, ÜÄÖ"), "Grüße, ÜÄÖ"],
  ['application/json; charset="windows-1252"', toLatin("Grüße"), "Grüße"],
  ["application/json; charset=utf-16le", toUtf16(TEXT), TEXT],
];

for (const [contentType, bytes, text] of BODIES) {
  test(`toUtf8() converts a body at any cut: ${contentType}, ${bytes.length} bytes`, async () => {
    for (let size = 1; size <= bytes.length; size++) {
      const decoder = new TextDecoder();
      let read = "";
      for await (const piece of toUtf8(cut(bytes, size), contentType)) {
        read += decoder.decode(piece, { stream: true });
      }
      assert.equal(read + decoder.decode(), text);
    }
  });
}

async function* cut(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
