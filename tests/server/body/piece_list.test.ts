import assert from "node:assert/strict";
import { test } from "node:test";
import { PieceList } from "../../../lib/server/body/piece_list.ts";
import { createRandom } from "../../kit/random.ts";

test("PieceList joins pieces of any size in their order", () => {
  const random = createRandom(3);
  for (let nth = 0; nth < 50; nth++) {
    const list = new PieceList();
    const expected: number[] = [];
    for (let pieces = random(20); pieces > 0; pieces--) {
      const piece = Uint8Array.from({ length: random([3, 2000, 70_000][random(3)] ?? 1) }, () => random(256));
      for (const byte of piece) expected.push(byte);
      list.add(piece);
    }
    assert.deepEqual(list.take(), Uint8Array.from(expected));
    assert.equal(list.take().length, 0);
  }
});

test("PieceList returns a single piece without a copy", () => {
  const list = new PieceList();
  const piece = new Uint8Array([1, 2]);
  list.add(piece);
  assert.equal(list.take(), piece);
});
