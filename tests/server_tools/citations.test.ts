import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CitedText, type Piece, restoreMarks, toMark } from "../../lib/server_tools/citations.ts";

const bees = { url: "https://bees.test/", title: "Bees", text: "Bees dance. ".repeat(40) };
const hits = new Map([[toMark(1, 1), bees], [toMark(1, 2), { ...bees, url: "https://bees.test/2" }]]);

function read(...pieces: readonly string[]): Piece[] {
  const text = new CitedText(hits);
  return [...pieces.flatMap((piece) => text.push(piece)), ...text.end()];
}

/** Words and the addresses of citations, each run of words in one piece. */
function toPlain(pieces: readonly Piece[]): string[] {
  const plain: string[] = [];
  for (const piece of pieces) {
    const last = plain.at(-1);
    if ("citation" in piece) plain.push(`<${piece.citation.url}>`);
    else if (last !== undefined && !last.startsWith("<")) plain[plain.length - 1] = last + piece.text;
    else plain.push(piece.text);
  }
  return plain;
}

test("CitedText converts citation marks to citations", () => {
  const cases: [string, string[]][] = [
    ["Bees dance [[1.1]]. They sing.", ["Bees dance", "<https://bees.test/>", ". They sing."]],
    ["Both.[[1.1]][[1.2]]", ["Both.", "<https://bees.test/>", "<https://bees.test/2>"]],
    ["None [[3.1]] such", ["None  such"]],
    ["a[0] and a[[0]] and [[1.", ["a[0] and a[[0]] and [[1."]],
  ];
  for (const [text, expected] of cases) assert.deepEqual(toPlain(read(text)), expected, text);
});

test("CitedText quotes at most 150 characters", () => {
  const [, cited] = read("x[[1.1]]");
  assert.ok(cited !== undefined && "citation" in cited);
  assert.equal(String(cited.citation.cited_text).length, 150);
});

test("CitedText gives the same result at any cut", () => {
  const word = fc.constantFrom(
    "bees ",
    "[",
    "[[",
    "]]",
    "]",
    "1.1",
    "[[1.1]]",
    "[[1.2]]",
    "[[9.9]]",
    ".",
    "1",
  );
  fc.assert(fc.property(fc.array(word), fc.array(fc.nat(60)), (words, cuts) => {
    const text = words.join("");
    const ends = [...cuts.filter((cut) => cut < text.length).sort((a, b) => a - b), text.length];
    const pieces = ends.map((to, nth) => text.slice(ends[nth - 1] ?? 0, to));
    assert.deepEqual(toPlain(read(...pieces)), toPlain(read(text)));
  }));
});

test("restoreMarks() restores the marks and leaves other citations unchanged", () => {
  const citation = read("x[[1.2]]").flatMap((piece) => "citation" in piece ? [piece.citation] : []);
  const foreign = { type: "char_location", cited_text: "y" };
  assert.deepEqual(restoreMarks({ type: "text", text: "Bees dance", citations: [...citation, foreign] }), {
    type: "text",
    text: "Bees dance [[1.2]]",
    citations: [foreign],
  });
  const untouched = { type: "text" as const, text: "Bees", citations: [foreign] };
  assert.equal(restoreMarks(untouched), untouched);
});
