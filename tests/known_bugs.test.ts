import assert from "node:assert/strict";
import { test } from "node:test";
import { callsOf, type Fixture, messagesOf, readFixture } from "./kit/fixture.ts";
import { dig, isJson, type Json, objects, text } from "./kit/json.ts";

/** A bug that users of other gateways reported, and the fixtures that show that this gateway does not have it. */
interface KnownBug {
  /** An issue that reports it. */
  source: string;
  /** The folders of `tests/fixtures/`. */
  folders: string[];
  /** Checks each of them. */
  holds(fixture: Fixture): void;
}

const isAnswered = ({ status, answer }: Fixture) => {
  assert.equal(status, 200);
  assert.equal(answer.type, "message");
};
const isCalled = (fixture: Fixture) => {
  isAnswered(fixture);
  assert.equal(fixture.answer.stop_reason, "tool_use");
  for (const [, input] of callsOf(fixture)) assert.ok(isJson(input));
};
/** Returns the last request: the second of a conversation, or the only one. */
const lastRequest = ({ next, sent }: Fixture) => (Object.keys(next).length > 0 ? next : sent.at(-1) ?? {});

const BUGS: Record<string, KnownBug> = {
  "an unknown field, role or beta makes every request fail": {
    source: "router-for-me/CLIProxyAPI#3608",
    folders: ["fields_of_a_later_day", "system_in_messages", "native_unknown_blocks", "context_management"],
    holds: isAnswered,
  },
  "a session fails after a change of models because of a thought's signature": {
    source: "sifxprime/krouter#11",
    folders: ["switch_to_claude", "switch_from_claude", "native_history", "thoughts_not_taken_back_native"],
    holds(fixture) {
      isAnswered(fixture);
      assert.doesNotMatch(JSON.stringify(lastRequest(fixture)), /orgw1\./);
      assert.ok([...fixture.losses, JSON.stringify(fixture.next)].join().length > 0);
    },
  },
  "reasoning that a host requires is not passed back": {
    source: "BerriAI/litellm#31439",
    folders: [
      "two_turns_deepseek",
      "two_turns_empty_details",
      "two_turns_gemini",
      "two_turns_openai",
      "two_turns_xai",
      "two_turns_glm",
      "deepseek_reasoning_returned",
      "switch_to_deepseek",
      "switch_to_kimi",
    ],
    holds: (fixture) =>
      assert.ok(
        messagesOf(lastRequest(fixture), "assistant").some((message) =>
          Array.isArray(message.reasoning_details) || text(message.reasoning_content) !== ""
        ),
      ),
  },
  "a failure in mid-stream looks like a normal end": {
    source: "diegosouzapw/OmniRoute#8210",
    folders: ["error_in_the_middle", "error_line", "error_event_groq", "cut_stream", "native_cut_stream"],
    holds({ last, events }) {
      assert.equal(last.type, "error");
      assert.ok(!events.includes("message_stop") && !events.includes("message_delta"));
    },
  },
  "arguments of calls are truncated, duplicated or merged": {
    source: "vllm-project/vllm#34887",
    folders: ["tool_calls_interleaved", "arguments_twice", "arguments_after_empty_object", "arguments_empty"],
    holds: isCalled,
  },
  "a call with truncated arguments is run": {
    source: "QuantumNous/new-api#7302",
    folders: ["length_inside_arguments", "length_inside_held_arguments", "length_not_said"],
    holds: ({ answer }) => assert.equal(answer.stop_reason, "max_tokens"),
  },
  "the prompt cache is never hit because a block changes with each conversation": {
    source: "anthropics/claude-code#68900",
    folders: ["billing_header", "billing_header_native", "claude_code_chat", "claude_code_native"],
    holds: ({ body }) => assert.doesNotMatch(JSON.stringify(body), /x-anthropic-billing-header/),
  },
  "cache_control is dropped": {
    source: "router-for-me/CLIProxyAPI#5727",
    folders: ["cache_control_with_ttl", "cache_control"],
    holds: ({ body }) => assert.match(JSON.stringify(body), /"cache_control":\{"type":"ephemeral"/),
  },
  "a conversation changes its provider, and so loses its cache": {
    source: "OpenRouterTeam/ai-sdk-provider#499",
    folders: ["session_of_claude_code", "session_of_claude_code_native"],
    holds: ({ body }) => assert.equal(body.session_id, "0b6dbf4e-6c5d-4f9e-9d0e-3a1b2c4d5e6f"),
  },
  "context_management, speed and diagnostics are rejected as extra inputs": {
    source: "anthropics/claude-code#21612",
    folders: ["context_management", "context_management_native"],
    holds(fixture) {
      isAnswered(fixture);
      // The field and its beta are either both sent or both dropped.
      const gated = "context_management" in fixture.body;
      assert.equal(/^anthropic-beta: context-management/m.test(fixture.head), gated);
      assert.equal(fixture.losses.includes("context_management;dropped"), !gated);
    },
  },
  "compaction comes too late because an overflow is not recognized": {
    source: "router-for-me/CLIProxyAPI#4103",
    folders: ["context_overflow", "overflow_gemini", "native_overflow"],
    holds: ({ status, answer }) => {
      assert.equal(status, 400);
      assert.match(text(dig(answer, "error", "message")), /^prompt is too long: \d+ tokens > \d+ maximum/);
    },
  },
  "tokens are counted without system, tools and images": {
    source: "jundot/omlx#2400",
    folders: ["count_tokens"],
    holds: ({ answer }) => assert.ok(Number(answer.input_tokens) > 700),
  },
  "a stream is ended during a pause": {
    source: "BerriAI/litellm#36024",
    folders: ["silence_before_the_answer", "silence_inside_arguments", "silence_native"],
    holds: ({ events, end }) => {
      assert.ok(events.filter((event) => event === "ping").length >= 2);
      assert.equal(end, "read");
    },
  },
  "usage is 0 at the start, or wrong at the end": {
    source: "vercel/ai#17326",
    folders: ["text", "usage_cached", "usage_missing", "usage_deepseek", "usage_groq", "usage_moonshot"],
    holds: ({ answer }) => {
      assert.ok(dig(answer, "usage", "input_tokens") !== 0);
      assert.ok(Number(dig(answer, "usage", "output_tokens")) > 0);
    },
  },
  "a web search is neither run nor reported as a loss": {
    source: "decolua/9router#4011",
    folders: ["web_search_by_openrouter", "server_tools_not_run"],
    holds({ answer, losses }) {
      const found = objects(answer.content).some(({ type, content }) =>
        type === "web_search_tool_result" && Array.isArray(content) && content.length > 0
      );
      assert.ok(found || losses.some((loss) => /^tools\.\d+;dropped$/.test(loss)));
    },
  },
  "deferred tools are lost once they are found": {
    source: "BerriAI/litellm-docs#993",
    folders: ["tool_search_of_client"],
    holds({ request, body, losses }) {
      const deferred = objects(request.tools).filter(({ defer_loading }) => defer_loading === true);
      const offered = objects(body.tools).map((tool) => dig(tool, "function", "name"));
      const found = ({ name }: Json) =>
        JSON.stringify(request.messages).includes(`"tool_name":"${text(name)}"`);
      assert.ok(deferred.some(found) && !deferred.every(found));
      for (const tool of deferred) assert.equal(offered.includes(tool.name), found(tool), text(tool.name));
      assert.deepEqual(losses, []);
    },
  },
  "a rate limit or an outage causes no failover": {
    source: "maximhq/bifrost#3261",
    folders: ["fallback_after_rate_limit", "fallback_after_two_failures"],
    holds(fixture) {
      isAnswered(fixture);
      assert.ok(fixture.sent.length > 1);
    },
  },
  "a temporary failure of one provider fails the request": {
    source: "decocms/studio#6657",
    folders: ["provider_returned_error", "native_provider_returned_error"],
    holds(fixture) {
      isAnswered(fixture);
      assert.ok(Array.isArray(dig(fixture.sent[1], "provider", "ignore")));
    },
  },
  "effort and adaptive thinking are dropped or altered": {
    source: "maximhq/bifrost#5185",
    folders: ["adaptive_with_effort_xhigh", "thinking_omitted", "two_turns_claude_omitted"],
    holds: ({ request, body, answer }) => {
      assert.ok(isJson(body.reasoning));
      const hidden = dig(request, "thinking", "display") === "omitted";
      if (hidden) assert.ok(objects(answer.content).every(({ thinking }) => !thinking));
    },
  },
  "a forced tool together with thinking is rejected": {
    source: "deepseek-ai/DeepSeek-V3#1376",
    folders: [
      "tool_choice_forced_while_thinking",
      "tool_choice_forced_while_thinking_unasked",
      "tool_choice_forced_of_deepseek",
      "tool_choice_forced_of_deepseek_by_openrouter",
      "tool_choice_forced_of_what_must_think",
      "tool_choice_auto_alone",
    ],
    holds({ body, losses, request }) {
      const forced = isJson(body.tool_choice) || body.tool_choice === "required";
      const off = dig(body, "reasoning", "enabled") === false || dig(body, "thinking", "type") === "disabled";
      assert.ok(!forced || off);
      assert.equal(losses.includes("tool_choice;approximated"), !forced);
      if (forced && isJson(request.thinking)) assert.ok(losses.includes("thinking;approximated"));
    },
  },
  "a schema is rejected because of a keyword": {
    source: "tashfeenahmed/freellmapi#97",
    folders: ["tool_schema_cleaned", "format_cleaned"],
    holds({ request, body, losses }) {
      assert.match(JSON.stringify(request), /exclusiveMinimum|additionalProperties/);
      assert.doesNotMatch(JSON.stringify(body), /exclusiveMinimum|additionalProperties|\$schema|"uri"/);
      assert.ok(losses.some((loss) => /schema;approximated$/.test(loss)));
    },
  },
  "a tool name of more than 64 characters makes the session fail": {
    source: "anthropics/claude-code#21136",
    folders: ["tool_names_too_long"],
    holds(fixture) {
      for (const tool of objects(fixture.body.tools)) {
        assert.match(text(dig(tool, "function", "name")), /^[a-zA-Z0-9_-]{1,64}$/);
      }
      const names = objects(fixture.request.tools).map(({ name }) => name);
      assert.ok(callsOf(fixture).length > 0 && callsOf(fixture).every(([name]) => names.includes(name)));
    },
  },
  "max_tokens exceeds the model's limit": {
    source: "router-for-me/CLIProxyAPI#2758",
    folders: ["max_tokens_above_the_models", "max_tokens_beyond_the_window"],
    holds({ request, body, losses }) {
      assert.ok(Number(body.max_tokens) < Number(request.max_tokens));
      assert.ok(losses.includes("max_tokens;approximated"));
    },
  },
  "a call without a result, or a result without a call, makes the session fail": {
    source: "router-for-me/CLIProxyAPI#497",
    folders: ["tool_results_missing", "tool_results_orphaned", "tool_results_late"],
    holds({ body, losses }) {
      const calls = messagesOf(body, "assistant").flatMap(({ tool_calls }) =>
        objects(tool_calls).map(({ id }) => id)
      );
      assert.deepEqual(messagesOf(body, "tool").map(({ tool_call_id }) => tool_call_id).sort(), calls.sort());
      assert.ok(losses.some((loss) => loss.endsWith(";repaired")));
    },
  },
  "images and files in results are dropped or rejected": {
    source: "musistudio/claude-code-router#1409",
    folders: ["images_in_tool_result", "pdf_in_tool_result"],
    holds({ body, losses }) {
      for (const { content } of messagesOf(body, "tool")) assert.equal(typeof content, "string");
      assert.match(JSON.stringify(messagesOf(body, "user").at(-1)), /"(image_url|file)"/);
      assert.ok(losses.some((loss) => loss.endsWith(";hoisted")));
    },
  },
  "an image makes the session of a model without vision fail": {
    source: "lmstudio-ai/localization#425",
    folders: ["documents_and_images_not_taken"],
    holds: ({ body, losses }) => {
      assert.doesNotMatch(JSON.stringify(body), /image_url/);
      assert.match(JSON.stringify(body), /Image omitted/);
      assert.ok(losses.some((loss) => loss.endsWith(";dropped")));
    },
  },
  "arguments of the wrong type are repeated endlessly": {
    source: "anthropics/claude-code#36548",
    folders: ["tool_input_wrong_types"],
    holds(fixture) {
      isCalled(fixture);
      const [[name, input] = []] = callsOf(fixture);
      const tool = objects(fixture.request.tools).find((one) => one.name === name);
      const properties = dig(tool, "input_schema", "properties");
      for (const [key, value] of Object.entries(isJson(input) ? input : {})) {
        const type = Array.isArray(value) ? "array" : typeof value;
        const wanted = [dig(properties, key, "type")].flat();
        assert.ok(wanted.some((one) => one === type || (one === "integer" && type === "number")), key);
      }
    },
  },
  "a call is sent as text": {
    source: "musistudio/claude-code-router#1340",
    folders: ["tool_calls_in_text", "tool_calls_in_text_two"],
    holds(fixture) {
      isCalled(fixture);
      assert.doesNotMatch(JSON.stringify(fixture.answer), /tool_call>|function=/);
    },
  },
  "the output format is dropped": {
    source: "router-for-me/CLIProxyAPI#5280",
    folders: [
      "format_by_schema",
      "output_format",
      "format_by_tool",
      "format_by_words",
      "format_by_tool_of_deepseek",
    ],
    holds(fixture) {
      assert.match(JSON.stringify(fixture.body), /"schema":|"parameters":|JSON Schema/);
      const [block] = objects(fixture.answer.content).filter(({ type }) => type === "text");
      assert.ok(isJson(JSON.parse(text(block?.text))));
    },
  },
  "the upstream continues after the client has disconnected": {
    source: "BerriAI/litellm#13774",
    folders: ["client_leaves", "client_leaves_native"],
    holds: ({ end }) => assert.equal(end, "let go"),
  },
  "the list of models in the picker is empty": {
    source: "anthropics/claude-code#55794",
    folders: ["models_for_the_picker"],
    holds({ answer }) {
      const shown = objects(answer.data).filter(({ id }) => /claude|anthropic/i.test(text(id)));
      assert.ok(shown.some(({ id }) => id === "claude-gw-fast"));
      assert.ok(shown.every(({ type, display_name }) => type === "model" && text(display_name) !== ""));
    },
  },
  "a request for an unknown model is answered by another one": {
    source: "icebear0828/codex-proxy#660",
    folders: ["unknown_model_near_another"],
    holds({ status, answer, sent }) {
      assert.equal(status, 404);
      assert.equal(dig(answer, "error", "type"), "not_found_error");
      assert.match(text(dig(answer, "error", "message")), /the nearest is/);
      assert.deepEqual(sent, []);
    },
  },
};

for (const [bug, { source, folders, holds }] of Object.entries(BUGS)) {
  test(`the gateway does not have the known bug: ${bug} (${source})`, () => {
    assert.ok(folders.length > 0);
    for (const folder of folders) {
      try {
        holds(readFixture(folder));
      } catch (cause) {
        throw new Error(`tests/fixtures/${folder} does not show it`, { cause });
      }
    }
  });
}
