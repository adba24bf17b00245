import assert from "node:assert/strict";
import { test } from "node:test";
import { quote, redact } from "../../lib/base/redact.ts";

const HIDDEN: [text: string, expected: string][] = [
  ["sk-or-v1-0123456789abcdef", "[redacted]"],
  ["key sk-ant-api03-abc_DEF-123 is wrong", "key [redacted] is wrong"],
  ["(sk-proj-12345678)", "([redacted])"],
  ["gsk_0123456789 xai-0123456789 hf_0123456789", "[redacted] [redacted] [redacted]"],
  ["AIzaSyA0123456789-abcdefghij_klmnopq", "[redacted]"],
  ["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "[redacted]"],
  ["Authorization: Bearer abc.def-123", "Authorization: Bearer [redacted]"],
  ["authorization: bearer abc, x-api-key: def", "authorization: Bearer [redacted], x-api-key: [redacted]"],
  ["Authorization: Basic dXNlcjpwYXNz", "Authorization: [redacted]"],
  ['{"x-api-key":"abc","model":"m"}', '{"x-api-key":"[redacted]","model":"m"}'],
  ['{\\"apiKey\\":\\"abc\\"}', '{\\"apiKey\\":\\"[redacted]\\"}'],
  ["OPENROUTER_API_KEY=abc npm start", "OPENROUTER_API_KEY=[redacted] npm start"],
  ["http://me:word@host/path", "http://[redacted]@host/path"],
  ["file:///srv/http://me:word@host/path", "file:///srv/http://[redacted]@host/path"],
  ["@timestamp http://me:word@host/path", "@timestamp http://[redacted]@host/path"],
  [`ftp://${"a".repeat(300)}@host`, "ftp://[redacted]@host"],
  [`@@https:${"a@".repeat(150)}host`, "@@https:[redacted]@host"],
  ["profile://me:word@host/path", "profile://[redacted]@host/path"],
  ["http:/me:wo@rd@host/path", "http:[redacted]@host/path"],
  ["https://host/path?key=abc&model=m", "https://host/path?key=[redacted]&model=m"],
  ["https://host/path?api_key=abc&model=m", "https://host/path?api_key=[redacted]&model=m"],
];

for (const [text, expected] of HIDDEN) {
  test(`redact() removes the secret from ${text}`, () => assert.equal(redact(text), expected));
}

const SHOWN = [
  "",
  "This endpoint's maximum context length is 131072 tokens",
  "prompt is too long: 140000 tokens > 131072 maximum",
  "anthropic/claude-opus-5.5 and risk-analysis-report",
  "task-management-system and disk-usage-report",
  "https://openrouter.ai/api/v1/models?limit=10",
  "No auth credentials found",
  '{"apiKey":null,"api_key":true}',
  "at serve (file:///srv/node_modules/@hono/node-server/index.mjs:1:2)",
];

for (const text of SHOWN) {
  test(`redact() returns ${JSON.stringify(text)} unchanged`, () => assert.equal(redact(text), text));
}

test("redact() keeps a line of JSON valid", () => {
  const line = JSON.stringify({
    a: "Bearer x",
    authorization: "Basic y",
    apiKey: 12,
    url: "http://u:p@h",
    path: "a\\b",
  });
  assert.deepEqual(Object.keys(JSON.parse(redact(line))), ["a", "authorization", "apiKey", "url", "path"]);
});

test("quote() returns one line of bounded length without secrets", () => {
  assert.equal(quote("a\nb\u001b[31m"), '"a\\nb\\u001b[31m"');
  assert.equal(quote("x".repeat(101)), `"${"x".repeat(100)}…"`);
  assert.equal(quote(`${"x".repeat(90)} sk-or-v1-0123456789`), `"${"x".repeat(90)} [redacted…"`);
});
