import assert from "node:assert/strict";
import { test } from "node:test";
import { newId } from "../../lib/runtime/ids.ts";

test("newId() returns unique ids of letters and digits", () => {
  const ids = Array.from({ length: 2000 }, () => newId("req_"));
  for (const id of ids) assert.match(id, /^req_[0-9A-Za-z]{24}$/);
  assert.equal(new Set(ids).size, ids.length);
  assert.equal(new Set(ids.flatMap((id) => [...id.slice(4)])).size, 62);
});
