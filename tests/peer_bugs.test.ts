import assert from "node:assert/strict";
import { test } from "node:test";
import { callsOf, type Fixture, messagesOf, readFixture } from "./kit/fixture.ts";
import { dig, objects } from "./kit/json.ts";

/**
 * Known bugs of other gateways, each with the folders of `tests/fixtures/` that cover it, and the check of each
 * folder.
 */
const MEASURED: Record<string, { folders: string[]; holds(fixture: Fixture): void }> = {
  "a stream whose usage is in a chunk without choices: crash": {
    folders: ["text", "azure_without_choices"],
    holds: ({ answer }) => assert.equal(answer.stop_reason, "end_turn"),
  },
  "usage at the start of a message: missing": {
    folders: ["text", "usage_cached"],
    holds: ({ events }) => assert.equal(events[0], "message_start"),
  },
  "usage of a cache read and written at the end: counted twice, lost or invented": {
    folders: ["usage_cached"],
    holds({ answer }) {
      assert.deepEqual(answer.usage, {
        input_tokens: 100,
        cache_read_input_tokens: 800,
        cache_creation_input_tokens: 100,
        output_tokens: 50,
      });
    },
  },
  "the signature of a thought: forged, or dropped": {
    folders: ["claude_signature"],
    holds({ answer }) {
      const [thought] = objects(answer.content);
      assert.equal(thought?.type, "thinking");
      assert.match(String(thought?.signature), /^E/);
    },
  },
  "two calls with interleaved arguments: mixed up": {
    folders: ["tool_calls_interleaved"],
    holds: (fixture) => assert.equal(new Set(callsOf(fixture).map((call) => JSON.stringify(call))).size, 2),
  },
  "a call without an id: lost": {
    folders: ["gemini_no_index_no_id"],
    holds(fixture) {
      assert.equal(fixture.answer.stop_reason, "tool_use");
      for (const { type, id } of objects(fixture.answer.content)) {
        if (type === "tool_use") assert.match(String(id), /^toolu_/);
      }
      assert.ok(callsOf(fixture).length > 0);
    },
  },
  "a limit inside the arguments of a call: the call is run": {
    folders: ["length_inside_arguments", "length_inside_held_arguments"],
    holds: ({ answer }) => assert.equal(answer.stop_reason, "max_tokens"),
  },
  "an error in mid-stream: a normal end": {
    folders: ["error_in_the_middle", "error_in_the_middle_with_choice", "native_error_in_the_middle"],
    holds({ last, events }) {
      assert.equal(last.type, "error");
      assert.ok(!events.includes("message_stop"));
    },
  },
  "an error in the first chunk, under 200: an empty success": {
    folders: ["error_in_first_chunk"],
    holds: ({ status }) => assert.equal(status, 429),
  },
  "retry-after of a 429: lost": {
    folders: ["rate_limit"],
    holds({ status, answerHead }) {
      assert.equal(status, 429);
      assert.match(answerHead, /^retry-after: 7$/m);
    },
  },
  "a 429: no fallback is called": {
    folders: ["fallback_after_rate_limit", "fallback_after_two_failures"],
    holds({ sent, status }) {
      assert.ok(sent.length > 1);
      assert.equal(status, 200);
    },
  },
  "a client that disconnects: the upstream continues, at full cost": {
    folders: ["client_leaves", "client_leaves_native"],
    holds: ({ end }) => assert.equal(end, "let go"),
  },
  "a pause of 20 seconds: no ping": {
    folders: ["silence_before_the_answer", "silence_inside_arguments", "silence_native"],
    holds: ({ events }) => assert.ok(events.filter((event) => event === "ping").length >= 2),
  },
  "cache_control: removed": {
    folders: ["cache_control_with_ttl"],
    holds({ request, body }) {
      const marks = (value: unknown) =>
        JSON.stringify(value).split('"cache_control":{"type":"ephemeral","ttl":"1h"}').length;
      assert.ok(marks(body) >= 5 && marks(body) >= marks(request) - 1);
    },
  },
  "Claude Code's billing block: sent to every upstream": {
    folders: ["billing_header", "billing_header_native", "claude_code_chat", "claude_code_native"],
    holds({ request, body }) {
      assert.match(JSON.stringify(request), /x-anthropic-billing-header/);
      assert.doesNotMatch(JSON.stringify(body), /billing/);
    },
  },
  "a system message in mid-conversation: dropped, or sent as a user message": {
    folders: ["system_in_messages"],
    holds: ({ body }) => assert.ok(messagesOf(body, "system").length > 1),
  },
  "a PDF: dropped": {
    folders: ["pdf", "pdf_in_tool_result"],
    holds: ({ body }) => assert.match(JSON.stringify(body), /"file_data":"data:application\/pdf;base64,/),
  },
  "earlier thinking: dropped": {
    folders: ["claude_signature_returned", "deepseek_reasoning_returned", "gemini_encrypted_returned"],
    holds: ({ body }) =>
      assert.ok(messagesOf(body, "assistant").some((one) => one.reasoning_details ?? one.reasoning_content)),
  },
  "adaptive thinking of effort xhigh: switched off": {
    folders: ["adaptive_with_effort_xhigh"],
    holds({ body, losses }) {
      assert.deepEqual(body.reasoning, { effort: "xhigh" });
      assert.deepEqual(losses, []);
    },
  },
  "the output format: dropped": {
    folders: ["format_by_schema"],
    holds: ({ request, body }) =>
      assert.deepEqual(
        dig(body, "response_format", "json_schema", "schema"),
        dig(request, "output_config", "format", "schema"),
      ),
  },
  "max_tokens, stop sequences and sampling: dropped": {
    folders: ["sampling"],
    holds({ request, body, losses }) {
      const { max_tokens, temperature, top_p, top_k, stop_sequences: stop } = request;
      const sent = Object.fromEntries(
        ["max_tokens", "temperature", "top_p", "top_k", "stop"].map((name) => [name, body[name]]),
      );
      assert.deepEqual(sent, { max_tokens, temperature, top_p, top_k, stop });
      assert.deepEqual(losses, []);
    },
  },
  "count_tokens: no such endpoint, or without system, tools and images": {
    folders: ["count_tokens", "count_tokens_by_upstream"],
    holds({ answer, answerHead }) {
      assert.ok(Number(answer.input_tokens) > 5);
      assert.match(answerHead, /^x-token-count-source: (estimate|upstream)$/m);
    },
  },
  "a request without messages: answered": {
    folders: ["messages_empty"],
    holds({ status, answer, sent }) {
      assert.equal(status, 400);
      assert.equal(dig(answer, "error", "type"), "invalid_request_error");
      assert.deepEqual(sent, []);
    },
  },
};

for (const [what, { folders, holds }] of Object.entries(MEASURED)) {
  test(`the gateway does not have the bug of other gateways: ${what}`, () => {
    assert.ok(folders.length > 0);
    for (const folder of folders) holds(readFixture(folder));
  });
}
