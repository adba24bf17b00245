import assert from "node:assert/strict";
import { test } from "node:test";
import { toUpstreamError } from "../../../lib/dialects/errors/upstream_error.ts";

/** Errors with a retry delay, and the delay in seconds. */
const DELAYS: [
  host: string,
  status: number,
  body: unknown,
  headers: Record<string, string>,
  seconds: string,
][] = [
  ["Hugging Face", 503, { error: "Model is loading", estimated_time: 20.5 }, {}, "21"],
  ["a draft header", 429, { error: "Slow" }, { ratelimit: "limit=10, remaining=0, reset=7" }, "7"],
  ["a newer draft header", 429, { error: "Slow" }, { ratelimit: '"default";r=0;t=9' }, "9"],
];

for (const [host, status, body, headers, seconds] of DELAYS) {
  test(`toUpstreamError() reads the retry delay of ${host}`, () => {
    assert.equal(toUpstreamError({ status, body, headers: new Headers(headers) }).retryAfter, seconds);
  });
}

test("toUpstreamError() ignores a combined header whose limit is not exhausted", () => {
  const headers = new Headers({ ratelimit: "limit=10, remaining=4, reset=7" });
  assert.equal(toUpstreamError({ status: 429, body: { error: "Slow" }, headers }).retryAfter, undefined);
});

test("toUpstreamError() reads a body within a message", () => {
  const message = JSON.stringify({ error: { message: "Too hot", code: "x" } });
  assert.equal(toUpstreamError({ status: 400, body: { error: { message } } }).message, "Too hot");
  const text = '{"what": 1} is not an argument';
  assert.equal(toUpstreamError({ status: 400, body: { error: { message: text } } }).message, text);
});
