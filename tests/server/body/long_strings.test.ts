import assert from "node:assert/strict";
import { test } from "node:test";
import { cutLongStrings, putBack } from "../../../lib/server/body/long_strings.ts";
import { createRandom } from "../../kit/random.ts";

const LONG = "aGk+/w==".repeat(20_000);
const encoder = new TextEncoder();

async function parse(json: string): Promise<{ value: unknown; cut: number }> {
  const { text, strings } = await cutLongStrings(encoder.encode(json));
  return { value: putBack(JSON.parse(text), strings), cut: strings.size };
}

test("cutLongStrings() removes each long string, and putBack() restores the value", async () => {
  const value = {
    a: LONG,
    list: ["short", LONG, { data: `${LONG}Zg==`, n: [1, null] }, "größe “1”"],
    ["__proto__"]: LONG,
  };
  for (const json of [JSON.stringify(value), JSON.stringify(value, null, 2)]) {
    const parsed = await parse(json);
    assert.deepEqual(parsed, { value: JSON.parse(json), cut: 4 });
  }
});

test("cutLongStrings() keeps names of members, and strings that are not plain", async () => {
  for (
    const json of [
      JSON.stringify({ [LONG]: 1 }),
      `{"${LONG}" \n:1}`,
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
    assert.deepEqual(await parse(json), { value: JSON.parse(json), cut: 0 });
  }
});

test("cutLongStrings() returns invalid JSON for a text that is not JSON", async () => {
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
    const { text } = await cutLongStrings(encoder.encode(json));
    assert.throws(() => JSON.parse(text), SyntaxError, json.replaceAll(LONG, "LONG"));
  }
});

test("cutLongStrings() and putBack() restore generated values with long strings at any place", async () => {
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
  let cut = 0;
  for (let nth = 0; nth < 40; nth++) {
    const json = JSON.stringify(toValue(0), null, random(2));
    const parsed = await parse(json);
    assert.deepEqual(parsed.value, JSON.parse(json));
    cut += parsed.cut;
  }
  assert.ok(cut > 10, `${cut} strings were cut`);
});
