import assert from "node:assert/strict";
import { test } from "node:test";
import { isMarkedPlain, markPlain } from "../../../lib/base/encoding/plain_text.ts";
import { encodeJson } from "../../../lib/base/encoding/encode_json.ts";
import { holdUrl, readImage } from "../../../lib/dialects/request/documents.ts";
import { LossReport } from "../../../lib/dialects/loss.ts";

/** Returns what holds the data URL of an image. */
function toHolder(source: { type: "base64"; media_type: string; data: string }): { url: string } {
  const image = readImage({ block: { type: "image", source }, path: "" }, {
    facts: {},
    loss: new LossReport(),
  });
  assert.ok(image.note === undefined);
  return holdUrl(image.url, "url", {});
}

test("the data URL of an image is marked as plain if its data and its type are plain", () => {
  const source = { type: "base64", media_type: "image/png", data: "iVBO" } as const;
  for (
    const [given, isMarked] of [
      [markPlain(source, "data"), true],
      [source, false],
      [{ ...markPlain(source, "data") }, false],
      [Object.assign(markPlain(source, "data"), { data: "iVBOR" }), false],
    ] as const
  ) {
    const holder = toHolder(given);
    assert.deepEqual(holder, { url: `data:image/png;base64,${given.data}` });
    assert.equal(isMarkedPlain(holder, "url"), isMarked);
  }
});

test("a type with a quote is escaped in the data URL of an image", () => {
  for (const media_type of ['image/"', "image/\\", "image/\n", "image/ü"]) {
    const holder = toHolder(markPlain({ type: "base64" as const, media_type, data: "iVBO" }, "data"));
    assert.equal(encodeJson({ holder }), JSON.stringify({ holder: { url: holder.url } }));
  }
});
