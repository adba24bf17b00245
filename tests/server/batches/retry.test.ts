import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../../../lib/base/errors.ts";
import { LimitError } from "../../../lib/limits/limit_error.ts";
import { retryTime } from "../../../lib/server/batches/retry.ts";

const CASES: [what: string, error: ApiError, attempts: number, expected: number | undefined][] = [
  ["an invalid request", new ApiError("invalid_request_error", "x"), 0, undefined],
  ["a first failure", new ApiError("api_error", "x", { status: 502 }), 0, 2000],
  ["a third failure", new ApiError("overloaded_error", "x"), 2, 8000],
  ["a fifth failure", new ApiError("overloaded_error", "x"), 4, undefined],
  ["a failure after a tool has run", new ApiError("api_error", "x").toFinal(), 0, undefined],
  ["a wait in seconds", new ApiError("rate_limit_error", "x", { retryAfter: "30" }), 0, 30_000],
  ["a wait of days", new ApiError("rate_limit_error", "x", { retryAfter: "999999" }), 0, 3_600_000],
  [
    "a wait until a date",
    new ApiError("rate_limit_error", "x", { retryAfter: new Date(60_000).toUTCString() }),
    0,
    60_000,
  ],
  ["a wait that is no time", new ApiError("rate_limit_error", "x", { retryAfter: "soon" }), 0, 2000],
  ["a limit of the gateway", new LimitError("rate_limit_error", "x", { retryAfter: "5" }), 100, 5000],
  ["a spent budget", new LimitError("billing_error", "x"), 0, undefined],
];

for (const [what, error, attempts, expected] of CASES) {
  test(`retryTime() of ${what} is ${expected}`, () => {
    assert.equal(retryTime(error, { attempts, now: 0 }), expected);
  });
}
