import assert from "node:assert/strict";
import { test } from "node:test";
import { peekText } from "../../lib/upstreams/response/read_body.ts";

const BLANK = " ".repeat(62);
const STARTS: [chunks: string[], start: RegExp][] = [
  [["data: {}\n\n"], /^data: /],
  [[`${BLANK}da`, "ta: {}\n\n"], /^data: /],
  [[`${BLANK}data: {}\n\n`, "id: 1\n"], /^data: \{\}\n\n$/],
  [[`${BLANK}${BLANK}\n`, `${BLANK}{`], /^\{$/],
  [["\n", "{"], /^\{$/],
  [[`${" ".repeat(63)}é, é, é`, "later"], /^é, é, é$/],
  [[BLANK], /^$/],
  [[], /^$/],
];

for (const [chunks, start] of STARTS) {
  test(`peekText() returns the first characters of ${JSON.stringify(chunks)}, and all bytes`, async () => {
    const peeked = await peekText(toBytes(chunks));
    assert.match(peeked.start, start);
    const decoder = new TextDecoder();
    let text = "";
    for await (const bytes of peeked.chunks) text += decoder.decode(bytes, { stream: true });
    assert.equal(text, chunks.join(""));
  });
}

async function* toBytes(texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield new TextEncoder().encode(text);
}
