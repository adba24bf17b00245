import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { sha256 } from "../../lib/base/sha256.ts";

/** Returns the hash by the runtime's implementation. */
async function expected(text: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

test("sha256() returns the hash of crypto.subtle, at every length around a block", async () => {
  for (let length = 0; length <= 200; length++) {
    assert.equal(sha256("x".repeat(length)), await expected("x".repeat(length)), `${length}`);
  }
});

test("sha256() returns the hash of crypto.subtle for any text", async () => {
  await fc.assert(fc.asyncProperty(fc.string({ unit: "binary", maxLength: 300 }), async (text) => {
    assert.equal(sha256(text), await expected(text));
  }));
});
