import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeJson } from "../../../lib/base/encoding/encode_json.ts";
import { headOf } from "../../../lib/base/encoding/plain_text.ts";
import {
  type CutJson,
  LongStringCutter,
  putBack,
  toWholeText,
} from "../../../lib/server/body/long_strings.ts";
import { createRandom } from "../../kit/random.ts";

const LONG = "aGk+/w==".repeat(20_000);
const encoder = new TextEncoder();

/** Cuts a text that arrives in pieces of these sizes, again and again. */
function cut(json: string, sizes: readonly number[]): CutJson {
  const cutter = new LongStringCutter();
  const bytes = encoder.encode(json);
  for (let at = 0, nth = 0; at < bytes.length; nth++) {
    const size = sizes[nth % sizes.length] ?? bytes.length;
    cutter.add(bytes.subarray(at, at += size));
  }
  return cutter.take();
}

/** Sizes of pieces: all at once, as servers read, and such that long strings begin and end anywhere in them. */
const SIZES = [[], [65_536], [300_000, 70_000], [16_384, 16_385], [2, 300_000], [100]];
/** Sizes among which small pieces hide the beginning of long strings. */
const MIXED_SIZES = [1, 20_000, 3, 90_000];

/** Parses a text. `cut` is the number of long strings that are put back. */
function parse(json: string, sizes: readonly number[]): { value: unknown; cut: number } {
  const body = cut(json, sizes);
  assert.equal(toWholeText(body), json);
  assert.equal(body.size, encoder.encode(json).length);
  const restored = body.strings.size === 0 ? undefined : putBack(JSON.parse(body.text), body.strings);
  return restored === undefined
    ? { value: JSON.parse(toWholeText(body)), cut: 0 }
    : { value: restored.value, cut: body.strings.size };
}

test("LongStringCutter takes each long string out, and putBack() restores the value", () => {
  const value = {
    a: LONG,
    list: ["short", LONG, { data: `${LONG}Zg==`, n: [1, null] }, "größe “1”"],
    ["__proto__"]: LONG,
  };
  for (const json of [JSON.stringify(value), JSON.stringify(value, null, 2)]) {
    for (const sizes of SIZES) {
      assert.deepEqual(parse(json, sizes), { value: JSON.parse(json), cut: 4 }, sizes.join());
    }
    assert.deepEqual(parse(json, MIXED_SIZES).value, JSON.parse(json));
  }
  assert.deepEqual(parse(JSON.stringify(LONG), [65_536]), { value: LONG, cut: 1 });
  // The first piece ends with the quote.
  assert.deepEqual(parse(JSON.stringify([LONG]), [2, 300_000]), { value: [LONG], cut: 1 });
});

test("putBack() restores no value if the quote of a long string is escaped in an earlier piece", () => {
  const json = JSON.stringify([`"${LONG}`]);
  assert.deepEqual(parse(json, ['["\\'.length, 300_000]), { value: JSON.parse(json), cut: 0 });
});

test("putBack() marks a long string, so that it is copied into JSON unread", () => {
  const json = JSON.stringify({ before: 1, source: { data: LONG, type: "base64" }, after: "ü" });
  const body = cut(json, []);
  const restored = putBack(JSON.parse(body.text), body.strings)?.value as { source: { data: string } };
  assert.equal(encodeJson(restored), json);
  assert.equal(headOf(restored.source, "data", 100), LONG.slice(0, 100));
});

test("LongStringCutter leaves what is no plain string", () => {
  for (
    const json of [
      JSON.stringify(`say "${LONG}"`),
      JSON.stringify(`${LONG}\n${LONG}`.repeat(2)),
      JSON.stringify(`ü${LONG}`),
      JSON.stringify(`${LONG}ü`),
      JSON.stringify([`\\${LONG}`, `${LONG}\\`]),
      JSON.stringify([" ".repeat(200_000), `, ${LONG}`]),
      JSON.stringify(["a", Array(200_000).fill(1), "b"]),
      JSON.stringify(["a", Array(200_000).fill({}), "b"]),
    ]
  ) {
    for (const sizes of SIZES) {
      assert.equal(cut(json, sizes).strings.size, 0, sizes.join());
      assert.deepEqual(parse(json, sizes), { value: JSON.parse(json), cut: 0 });
    }
  }
});

test("putBack() restores no value that lacks a long string", () => {
  const [one, other] = [cut(JSON.stringify([LONG]), []), cut(JSON.stringify([LONG]), [])];
  assert.equal(putBack(JSON.parse(one.text), other.strings), undefined);
  for (
    const json of [
      JSON.stringify({ [LONG]: 1 }),
      `{"${LONG}" \n:1}`,
      `{"a":"${LONG}","a":"b"}`,
    ]
  ) {
    for (const sizes of SIZES) assert.deepEqual(parse(json, sizes), { value: JSON.parse(json), cut: 0 });
  }
});

test("LongStringCutter leaves a text that is not JSON without a value", () => {
  for (
    const json of [
      `"${LONG}`,
      `${LONG}"`,
      `"a"${LONG}"b"`,
      `"a" ${LONG} "b"`,
      `["a",${LONG},"b"]`,
      `{"a":"${LONG}"${LONG}"b":1}`,
      `["${LONG}\u0001"]`,
      `["${LONG}""${LONG}"]`,
    ]
  ) {
    for (const sizes of SIZES) {
      const body = cut(json, sizes);
      assert.equal(toWholeText(body), json);
      assert.throws(() => JSON.parse(body.text), SyntaxError, json.replaceAll(LONG, "LONG"));
    }
  }
});

test("LongStringCutter and putBack() restore generated values with long strings at any place", () => {
  const random = createRandom(7);
  const toValue = (depth: number): unknown => {
    const length = random(300_000);
    switch (random(depth > 3 ? 4 : 6)) {
      case 0:
        return "x".repeat(length);
      case 1:
        return `${"x".repeat(length)}${["\\", '"', "\n", "é", " ", ":"][random(6)]}${
          "y".repeat(random(300_000))
        }`;
      case 2:
        return random(1000);
      case 3:
        return ["", null, true, "{}", '","'][random(5)];
      case 4:
        return Array.from({ length: random(4) }, () => toValue(depth + 1));
      default:
        return Object.fromEntries(
          Array.from({ length: random(4) }, (_, nth) => [`m${nth}`, toValue(depth + 1)]),
        );
    }
  };
  let found = 0;
  for (let nth = 0; nth < 40; nth++) {
    const json = JSON.stringify(toValue(0), null, random(2));
    const parsed = parse(json, [...SIZES, MIXED_SIZES][nth % (SIZES.length + 1)] ?? []);
    assert.deepEqual(parsed.value, JSON.parse(json));
    found += parsed.cut;
  }
  assert.ok(found > 10, `${found} strings were cut`);
});
