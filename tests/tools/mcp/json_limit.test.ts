import assert from "node:assert/strict";
import { test } from "node:test";
import { JsonLimit } from "../../../tools/mcp/json_limit.ts";

const ACCEPTED: Record<string, string> = {
  "brackets in a string": JSON.stringify(`\\"${"[".repeat(1000)}`),
  "many events one after another": `data: {"a": [1, {"b": []}]}\n\n`.repeat(20_000),
  "a long string": JSON.stringify("a,".repeat(500_000)),
};

const REJECTED: Record<string, { text: string; message: RegExp }> = {
  "250,001 values": { text: `[${"1,".repeat(250_000)}1]`, message: /more than 250000 values$/ },
  "100,001 members": {
    text: `{${Array.from({ length: 100_001 }, (_, nth) => `"${nth}": 1`).join(",")}}`,
    message: /more than 100000 members$/,
  },
  "values behind a line that is no JSON": {
    text: `it isn't "JSON\n${"[".repeat(250_001)}`,
    message: /more than 250000 values$/,
  },
};

for (const [form, convert] of [["decoded", (text: string) => text], ["in UTF-8", encode]] as const) {
  for (const size of [7, Infinity]) {
    const add = (text: string) => {
      const limit = new JsonLimit();
      const step = Math.min(size, text.length);
      for (let at = 0; at < text.length; at += step) limit.add(convert(text.slice(at, at + step)));
    };
    for (const [name, text] of Object.entries(ACCEPTED)) {
      test(`JsonLimit accepts ${name}, ${form}, in pieces of ${size}`, () => add(text));
    }
    for (const [name, { text, message }] of Object.entries(REJECTED)) {
      test(`JsonLimit rejects ${name}, ${form}, in pieces of ${size}`, () => {
        assert.throws(() => add(text), { name: "McpError", message });
      });
    }
  }
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
