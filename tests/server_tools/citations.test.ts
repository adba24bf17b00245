import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CitedText, type Piece, restoreMarks, toMarks } from "../../lib/server_tools/citations.ts";

const bees = { url: "https://bees.test/", title: "Bees", text: "Bees dance. ".repeat(40) };
const hits = new Map([["ab12cd.1", bees], ["ab12cd.2", { ...bees, url: "https://bees.test/2" }]]);

function read(...pieces: readonly string[]): Piece[] {
  const text = new CitedText(hits);
  return [...pieces.flatMap((piece) => text.push(piece)), ...text.end()];
}

/** Returns the texts and the URLs of citations; texts that follow one another are joined. */
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
    ["Bees dance [[ab12cd.1]]. They sing.", ["Bees dance", "<https://bees.test/>", ". They sing."]],
    ["Both.[[ab12cd.1]][[ab12cd.2]]", ["Both.", "<https://bees.test/>", "<https://bees.test/2>"]],
    ["None [[ab12cd.3]] such", ["None  such"]],
    ["Not of this search [[dc21ba.1]]", ["Not of this search "]],
    ["Written by a page [[1.1]], an array [[1.2]]", ["Written by a page [[1.1]], an array [[1.2]]"]],
    ["a[0] and a[[0]] and [[ab12cd.", ["a[0] and a[[0]] and [[ab12cd."]],
  ];
  for (const [text, expected] of cases) assert.deepEqual(toPlain(read(text)), expected, text);
});

test("CitedText quotes at most 150 characters", () => {
  const [, cited] = read("x[[ab12cd.1]]");
  assert.ok(cited !== undefined && "citation" in cited);
  assert.equal(String(cited.citation.cited_text).length, 150);
});

test("CitedText returns the same result at any cut", () => {
  const word = fc.constantFrom(
    "bees ",
    "[",
    "[[",
    "]]",
    "]",
    "ab12cd.1",
    "[[ab12cd.1]]",
    "[[ab12cd.2]]",
    "[[ab12cd.9]]",
    ".",
    "ab",
  );
  fc.assert(fc.property(fc.array(word), fc.array(fc.nat(60)), (words, cuts) => {
    const text = words.join("");
    const ends = [...cuts.filter((cut) => cut < text.length).sort((a, b) => a - b), text.length];
    const pieces = ends.map((to, nth) => text.slice(ends[nth - 1] ?? 0, to));
    assert.deepEqual(toPlain(read(...pieces)), toPlain(read(text)));
  }));
});

test("restoreMarks() restores the marks and leaves other citations unchanged", () => {
  const citation = read("x[[ab12cd.2]]").flatMap((piece) => "citation" in piece ? [piece.citation] : []);
  const foreign = { type: "char_location", cited_text: "y" };
  assert.deepEqual(restoreMarks({ type: "text", text: "Bees dance", citations: [...citation, foreign] }), {
    type: "text",
    text: "Bees dance [[ab12cd.2]]",
    citations: [foreign],
  });
  const untouched = { type: "text" as const, text: "Bees", citations: [foreign] };
  assert.equal(restoreMarks(untouched), untouched);
});

test("toMarks() returns marks that differ for each search, and are the same for the same result", () => {
  const [one, two] = toMarks("srvtoolu_1", [bees, bees]);
  assert.match(`${one} ${two}`, /^([0-9a-f]{6})\.1 \1\.2$/);
  assert.deepEqual(toMarks("srvtoolu_1", [bees, bees]), [one, two]);
  assert.notEqual(toMarks("srvtoolu_2", [bees])[0], one);
  assert.notEqual(toMarks("srvtoolu_1", [bees])[0], one);
});
