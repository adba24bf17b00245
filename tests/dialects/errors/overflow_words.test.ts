import assert from "node:assert/strict";
import { test } from "node:test";
import { toUpstreamError } from "../../../lib/dialects/errors/upstream_error.ts";

/** Messages of an overflow with both token counts, or those of parts, and the counts that a client must receive. */
const COUNTED: [text: string, expected: string][] = [
  [
    "too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 5000.",
    "5000 tokens > 4081",
  ],
  [
    "Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in 300000 tokens.",
    "300000 tokens > 272000",
  ],
  [
    "The maximum context length of DeepSeek-R1 is 8192. However, answering your request will take 9000 tokens.",
    "9000 tokens > 8192",
  ],
  ["Token limit exceeded: the prompt has 40000 tokens but the model supports 32768", "40000 tokens > 32768"],
  [
    "inputs tokens + max_new_tokens must be <= 4096. Given: 4000 inputs tokens and 500 max_new_tokens",
    "4500 tokens > 4096",
  ],
  [
    "Requested token count exceeds the model's maximum context length of 131072 tokens. You requested a total of 140000 tokens: 130000 tokens from the input messages and 10000 tokens for the completion.",
    "140000 tokens > 131072",
  ],
  [
    "The sum of prompt length (5000.0), query length (0) should not exceed max_num_tokens (4096)",
    "5000 tokens > 4096",
  ],
  ["Sequence length 9000 exceeds max_seq_len 8192", "9000 tokens > 8192"],
  ["Number of input tokens (9,000) has exceeded max_prefill_tokens (8,192) limit", "9000 tokens > 8192"],
  ["Your prompt contains 9000 tokens which is more than the model's limit of 8192", "9000 tokens > 8192"],
  [
    "The input prompt (9000 tokens) is longer than the model's context length (8192 tokens).",
    "9000 tokens > 8192",
  ],
];

for (const [text, expected] of COUNTED) {
  test(`toUpstreamError() reads the token counts of an overflow: ${text.slice(0, 80)}`, () => {
    const { message, uncounted } = toUpstreamError({ status: 400, body: { error: { message: text } } });
    assert.deepEqual([message, uncounted], [`prompt is too long: ${expected} maximum`, undefined]);
  });
}

/** Messages with a length and a limit that are not an overflow. */
const OTHERS: [status: number, text: string][] = [
  [400, "max_tokens is too large: 9000. This model supports at most 8192 completion tokens"],
  [429, "Rate limit reached: your input tokens of 90000 exceed 60000 tokens per minute"],
  [429, "quota: 90000 input tokens exceed 60000"],
  [400, "tool name exceeds 64 characters"],
  [413, "Request entity too large"],
];

for (const [status, text] of OTHERS) {
  test(`toUpstreamError() does not treat another limit as an overflow: ${text}`, () => {
    assert.doesNotMatch(
      toUpstreamError({ status, body: { error: { message: text } } }).message,
      /prompt is too long/,
    );
  });
}
