import assert from "node:assert/strict";
import { test } from "node:test";
import { RequestSplitter } from "../../../lib/server/batches/request_splitter.ts";
import { toBytes } from "../../kit/bytes.ts";

function split(...pieces: Uint8Array[]): string[] {
  const splitter = new RequestSplitter();
  const texts = pieces.flatMap((piece) => splitter.push(piece));
  splitter.end();
  return texts;
}

const ITEMS = [
  '{"custom_id":"a","params":{"text":"} ] \\" \\\\","list":[[],{}]}}',
  "{}",
  '{"deep":[{"é":"日本"}] , "n" : -1.5e3 }',
];

test("RequestSplitter returns the same requests for any cut of the body", () => {
  const body = toBytes(` { "requests" : [ ${ITEMS.join(" ,\n")} ] } \r\n`);
  for (let cut = 0; cut <= body.length; cut++) {
    assert.deepEqual(split(body.slice(0, cut), body.slice(cut)), ITEMS, `cut at ${cut}`);
  }
  assert.deepEqual(split(...Array.from(body, (byte) => Uint8Array.of(byte))), ITEMS);
  assert.deepEqual(split(toBytes('{"requests":[]}')), []);
  assert.deepEqual(split(toBytes('{"re\\u0071uests":[{}]}')), ["{}"]);
});

const BAD: [body: string, message: RegExp][] = [
  ["", /it is empty/],
  ["[]", /Input should be an object/],
  ["{}", /^requests: Field required$/],
  ["{", /ends too early/],
  ['{"requests":[{}', /ends too early/],
  ['{"requests":[{}]', /ends too early/],
  ['{"requests":[{}]}x', /text follows/],
  ['{"requests":[{}]}{}', /text follows/],
  ['{"requests":{}}', /requests: Input should be a valid list/],
  ['{"requests":null}', /requests: Input should be a valid list/],
  ['{"requests":[1]}', /list of objects/],
  ['{"requests":[{},]}', /list of objects/],
  ['{"requests":[{} {}]}', /is missing/],
  ['{"requests":[{}],}', /a member's name is missing/],
  ['{"requests" [{}]}', /is missing/],
  ['{"requests":[{}],"requests":[{}]}', /two members/],
  ['{"model":"x","requests":[{}]}', /^model: Extra inputs are not permitted$/],
  ['{"\\x":[]}', /a name is not a string/],
  [`{"${"n".repeat(2000)}":[]}`, /a name is too long/],
];

for (const [body, message] of BAD) {
  test(`RequestSplitter rejects ${JSON.stringify(body.slice(0, 40))}`, () => {
    assert.throws(() => split(toBytes(body)), { name: "ApiError", type: "invalid_request_error", message });
  });
}

test("RequestSplitter rejects bytes that are not UTF-8, and a request of more than 32 MiB", () => {
  const invalid = Uint8Array.from([...toBytes('{"requests":[{"a":"'), 0xff, ...toBytes('"}]}')]);
  assert.throws(() => split(invalid), /not valid UTF-8/);
  const piece = new Uint8Array(1024 * 1024).fill(0x61);
  const splitter = new RequestSplitter();
  splitter.push(toBytes('{"requests":[{"a":"'));
  assert.throws(() => {
    for (let mib = 0; mib < 33; mib++) splitter.push(piece);
  }, { type: "request_too_large" });
});
