import assert from "node:assert/strict";
import { call, reply } from "../../kit/model/turns.ts";
import { type ModelApi, type ModelRequest, offeredNames, resultsSentIn, toText } from "./model.ts";
import { type Answer, KEY, type ToolGateway, WORKSPACE } from "./tool_gateway.ts";
import { asJson, count, dig, type Json, objects, parseJson } from "../../kit/json.ts";
import { captureLog } from "../../kit/log.ts";

/** A call of one of the gateway's tools, and its expected result. */
export interface ExpectedCall {
  tool: string;
  input: Json;
  /** A pattern of the result. */
  matches: RegExp;
  /** True if the call must fail. */
  fails?: boolean;
}

/** Options of {@linkcode runCalls}. */
export interface CallOptions {
  api: ModelApi;
  streamed: boolean;
  /** The calls within tasks. */
  within?: readonly ExpectedCall[];
}

/** The end of every answer. */
const LAST = "All is done.";

/**
 * Scripts the model to call tools, turn by turn, and checks the response: the blocks, their order and their ids, the
 * results that the model receives, the usage of all turns, the log record of each call and the metrics.
 */
export async function runCalls(
  gateway: ToolGateway,
  turns: readonly (readonly ExpectedCall[])[],
  { api, streamed, within = [] }: CallOptions,
): Promise<Answer> {
  const calls = turns.flat().map((one, nth) => ({ ...one, id: String(nth + 1) }));
  let nth = 0;
  for (const turn of turns) {
    const tools = turn.map(({ tool, input }) => call(`${api.ids.upstream}${++nth}`, tool, input));
    gateway.model.script(reply({ text: [`Turn of ${tools.length}.`], tools }));
  }
  gateway.model.script(reply({ text: [LAST] }));

  let answer: Answer | undefined;
  const log = await captureLog(async () => {
    answer = await gateway.ask({ model: api.model, stream: streamed, tools: [WORKSPACE] });
  });
  assert.ok(answer);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  assert.equal(answer.events.length > 0, streamed);
  checkBlocks(objects(answer.body.content), { turns, api });
  checkStarts(answer);
  assert.equal(answer.body.stop_reason, "end_turn");
  assert.equal(dig(answer.body, "usage", "input_tokens"), 21 * (turns.length + 1));
  assert.equal(dig(answer.body, "usage", "output_tokens"), 7 * (turns.length + 1));
  checkRequests(gateway.model.requests.filter(isTurnOf(api)), {
    calls,
    api,
    shown: objects(answer.body.content),
  });
  const all = [...calls, ...within];
  await checkLog(log, all, answer);
  checkMetrics(await gateway.get("/tool-metrics"), all);
  return answer;
}

/** Checks that each turn has its text, its calls, and their results in the order of the calls. */
function checkBlocks(
  content: readonly Json[],
  { turns, api }: { turns: readonly (readonly ExpectedCall[])[]; api: ModelApi },
): void {
  const expected = turns.flatMap((turn) => [
    "text",
    ...turn.map(({ tool }) => `mcp_tool_use ${tool}`),
    ...turn.map(() => "mcp_tool_result"),
  ]);
  assert.deepEqual(
    content.map(({ type, name }) => name === undefined ? type : `${type} ${name}`),
    [...expected, "text"],
  );
  assert.equal(content.at(-1)?.text, LAST);
  const uses = content.filter(({ type }) => type === "mcp_tool_use");
  const results = content.filter(({ type }) => type === "mcp_tool_result");
  for (const [at, { tool, input, matches, fails = false }] of turns.flat().entries()) {
    const id = `${api.ids.mcp}${at + 1}`;
    assert.deepEqual(uses[at], { type: "mcp_tool_use", id, name: tool, server_name: "workspace", input });
    const { tool_use_id, is_error, content: actual } = results[at] ?? {};
    assert.equal(tool_use_id, id);
    assert.match(toText(actual), matches, tool);
    assert.equal(is_error, fails, `${tool}: ${toText(actual)}`);
  }
}

/** Checks that a call has its input in its start: the SDK's stream helper ignores the deltas of such blocks. */
function checkStarts({ events }: Answer): void {
  for (const { content_block, index } of events.filter(({ type }) => type === "content_block_start")) {
    if (content_block.type !== "mcp_tool_use") continue;
    const deltas = events.filter((event) => event.type === "content_block_delta" && event.index === index);
    assert.deepEqual(deltas, []);
  }
}

function isTurnOf({ model, path }: ModelApi): (request: ModelRequest) => boolean {
  return (request) =>
    request.path === path && request.body.model === model && offeredNames(request).length > 0 &&
    !isOfTask(request);
}

/** A part of the prompt of every task in these tests. */
export const TASK_MARK = "count the bees";

/** Returns true if a request belongs to the conversation of a task. */
export function isOfTask({ body }: ModelRequest): boolean {
  const first = objects(body.messages).find(({ role }) => role === "user");
  return JSON.stringify(first).includes(TASK_MARK);
}

/** Checks that the model receives its ids, and each result once, with the text that the client receives. */
function checkRequests(
  requests: readonly ModelRequest[],
  { calls, api, shown }: { calls: readonly { id: string }[]; api: ModelApi; shown: readonly Json[] },
): void {
  const last = requests.at(-1);
  assert.ok(last);
  const sent = resultsSentIn(last);
  assert.deepEqual(sent.map(({ id }) => id), calls.map(({ id }) => `${api.ids.upstream}${id}`));
  const results = shown.filter(({ type }) => type === "mcp_tool_result").map(({ content }) =>
    toText(content)
  );
  for (const [at, result] of sent.entries()) {
    const expected = results[at] ?? "";
    // The client receives a placeholder for an image.
    if (!/^\[image\//.test(expected)) {
      assert.ok(result.text.endsWith(expected), `${result.text} is not ${expected}`);
    }
  }
  for (const { body } of requests) assert.doesNotMatch(JSON.stringify(body), /mcp_tool|mcptoolu_/);
}

/** Checks the log: a line for each call with the client, the request, the tool, and the digest of the input. */
async function checkLog(
  lines: readonly string[],
  calls: readonly ExpectedCall[],
  answer: Answer,
): Promise<void> {
  const records = lines.map(parseJson);
  const tools = records.filter(({ message }) => message === "tool");
  const digests = await Promise.all(calls.map(async ({ tool, input, fails }) => {
    return `${tool} ${await digestOf(input)} ${fails === true ? "failed" : "ok"}`;
  }));
  assert.deepEqual(
    tools.map(({ tool, digest, outcome }) => `${tool} ${digest} ${outcome}`).sort(),
    digests.sort(),
  );
  for (const { client, requestId } of tools) {
    assert.deepEqual([client, requestId], ["alice", answer.headers.get("request-id")]);
  }
  const all = lines.join("\n");
  for (const { input } of calls) {
    for (const value of Object.values(input).filter((one) => typeof one === "string" && one.length > 8)) {
      assert.ok(!all.includes(JSON.stringify(value).slice(1, -1)), `the log holds "${value}"`);
    }
  }
  assert.ok(!all.includes(KEY));
}

async function digestOf(input: Json): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(input));
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Checks that the metrics count these calls only. */
function checkMetrics(body: Json, calls: readonly ExpectedCall[]): void {
  const { metrics, ...execution } = asJson(body.tool_execution);
  assert.deepEqual(execution, {
    enabled: true,
    max_concurrent_tools: 5,
    execution_timeout: 30,
    rate_limit_window: 60,
    rate_limit_max_requests: 100,
  });
  const { tool_usage_count: counts, error_breakdown: errors, ...sums } = asJson(metrics);
  const tools = [...new Set(calls.map(({ tool }) => tool))];
  const counted = tools.map((tool) => [tool, calls.filter((one) => one.tool === tool).length]);
  assert.deepEqual(counts, Object.fromEntries(counted));
  const all = calls.length;
  const failed = calls.filter(({ fails }) => fails === true).length;
  assert.equal(sums.total_executions, all);
  assert.equal(sums.failed_executions, failed);
  assert.equal(sums.successful_executions, all - failed);
  assert.equal(sums.success_rate, (all - failed) / all);
  assert.deepEqual(errors, failed === 0 ? {} : { failed });
  assert.ok(count(sums.max_concurrent_executions) >= 1);
  // The clock stands still.
  assert.deepEqual(sums.average_execution_times, Object.fromEntries(tools.map((tool) => [tool, 0])));
}
