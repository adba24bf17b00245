import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { hash, sha256 } from "../../../lib/base/hash/sha256.ts";

/** Returns the hash by the runtime's implementation. */
async function expected(text: string): Promise<string> {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// The runtimes of the tests have a hash, so that sha256() does not call hash().
for (const [name, toHash] of Object.entries({ sha256, hash })) {
  test(`${name}() returns the hash of crypto.subtle, at every length around a block`, async () => {
    for (let length = 0; length <= 200; length++) {
      assert.equal(toHash("x".repeat(length)), await expected("x".repeat(length)), `${length}`);
    }
  });

  test(`${name}() returns the hash of crypto.subtle for any text`, async () => {
    await fc.assert(fc.asyncProperty(fc.string({ unit: "binary", maxLength: 300 }), async (text) => {
      assert.equal(toHash(text), await expected(text));
    }));
  });
}
