import assert from "node:assert/strict";
import { call, say } from "../../clients/turns.ts";
import { count, dig, isJson, type Json, objects } from "../../kit/json.ts";
import { logOf } from "../../kit/log.ts";
import { type Asked, offeredNames, type Road, toldResults, toText } from "./model.ts";
import { type Answer, type Door, KEY, WORKSPACE } from "./stage.ts";

/** A call of one of the gateway's tools, and what must come of it. */
export interface Play {
  tool: string;
  input: Json;
  /** What the result says. */
  says: RegExp;
  /** Whether it must fail. */
  fails?: boolean;
}

/** How a door is played on. */
export interface PlayOptions {
  road: Road;
  streamed: boolean;
  /** What is called within tasks. */
  within?: readonly Play[];
}

/** The end of every answer. */
const LAST = "All is done.";

/**
 * Has the model call tools, turn by turn, and checks all that the API says of it: the blocks, their order and their
 * ids, what the model was told in the next turn, what all turns used, the log's record of each call and the metrics.
 */
export async function playTurns(
  door: Door,
  turns: readonly (readonly Play[])[],
  { road, streamed, within = [] }: PlayOptions,
): Promise<Answer> {
  const plays = turns.flat().map((play, nth) => ({ ...play, id: String(nth + 1) }));
  let nth = 0;
  for (const turn of turns) {
    const tools = turn.map(({ tool, input }) => call(`${road.ids.upstream}${++nth}`, tool, input));
    door.model.script(say({ text: [`Turn of ${tools.length}.`], tools }));
  }
  door.model.script(say({ text: [LAST] }));

  let answer: Answer | undefined;
  const log = await logOf(async () => {
    answer = await door.ask({ model: road.model, stream: streamed, tools: [WORKSPACE] });
  });
  assert.ok(answer);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  assert.equal(answer.events.length > 0, streamed);
  checkBlocks(objects(answer.body.content), { turns, road });
  checkStarts(answer);
  assert.equal(answer.body.stop_reason, "end_turn");
  assert.equal(dig(answer.body, "usage", "input_tokens"), 21 * (turns.length + 1));
  assert.equal(dig(answer.body, "usage", "output_tokens"), 7 * (turns.length + 1));
  checkTold(door.model.asked.filter(isTurnOf(road)), { plays, road, shown: objects(answer.body.content) });
  const all = [...plays, ...within];
  await checkLog(log, all, answer);
  checkMetrics(await door.get("/tool-metrics"), all);
  return answer;
}

/** Each turn is its text, its calls, and their results in the order of the calls. */
function checkBlocks(
  content: readonly Json[],
  { turns, road }: { turns: readonly (readonly Play[])[]; road: Road },
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
  for (const [at, { tool, input, says, fails = false }] of turns.flat().entries()) {
    const id = `${road.ids.mcp}${at + 1}`;
    assert.deepEqual(uses[at], { type: "mcp_tool_use", id, name: tool, server_name: "workspace", input });
    const { tool_use_id, is_error, content: said } = results[at] ?? {};
    assert.equal(tool_use_id, id);
    assert.match(toText(said), says, tool);
    assert.equal(is_error, fails, `${tool}: ${toText(said)}`);
  }
}

/** A call's whole input stands at its start, for the SDK's general stream helper reads no deltas of such blocks. */
function checkStarts({ events }: Answer): void {
  for (const { data } of events.filter(({ event }) => event === "content_block_start")) {
    if (dig(data, "content_block", "type") !== "mcp_tool_use") continue;
    const deltas = events.filter(({ event, data: { index } }) =>
      event === "content_block_delta" && index === data.index
    );
    assert.deepEqual(deltas, []);
  }
}

function isTurnOf({ model, path }: Road): (asked: Asked) => boolean {
  return (asked) =>
    asked.path === path && asked.body.model === model && offeredNames(asked).length > 0 && !isOfTask(asked);
}

/** What is in the prompt of every task of these tests. */
export const TASK_MARK = "count the bees";

/** Whether a request belongs to the conversation of a task. */
export function isOfTask({ body }: Asked): boolean {
  const first = objects(body.messages).find(({ role }) => role === "user");
  return JSON.stringify(first).includes(TASK_MARK);
}

/** The model knows its own ids, each result is told once, and says what the client was shown. */
function checkTold(
  asked: readonly Asked[],
  { plays, road, shown }: { plays: readonly { id: string }[]; road: Road; shown: readonly Json[] },
): void {
  const last = asked.at(-1);
  assert.ok(last);
  const told = toldResults(last);
  assert.deepEqual(told.map(({ id }) => id), plays.map(({ id }) => `${road.ids.upstream}${id}`));
  const results = shown.filter(({ type }) => type === "mcp_tool_result").map(({ content }) =>
    toText(content)
  );
  for (const [at, { text: words }] of told.entries()) {
    const expected = results[at] ?? "";
    // Of a picture the client is told that there was one.
    if (!/^\[image\//.test(expected)) assert.ok(words.endsWith(expected), `${words} is not ${expected}`);
  }
  for (const { body } of asked) assert.doesNotMatch(JSON.stringify(body), /mcp_tool|mcptoolu_/);
}

/** One line a call: who, which request, which tool, and of the input nothing but a digest. */
async function checkLog(lines: readonly string[], plays: readonly Play[], answer: Answer): Promise<void> {
  const records = lines.map(toRecord);
  const tools = records.filter(({ message }) => message === "tool");
  const digests = await Promise.all(plays.map(async ({ tool, input, fails }) => {
    return `${tool} ${await digestOf(input)} ${fails === true ? "refused" : "ok"}`;
  }));
  assert.deepEqual(
    tools.map(({ tool, digest, outcome }) => `${tool} ${digest} ${outcome}`).sort(),
    digests.sort(),
  );
  for (const { client, requestId } of tools) {
    assert.deepEqual([client, requestId], ["alice", answer.headers.get("request-id")]);
  }
  const all = lines.join("\n");
  for (const { input } of plays) {
    for (const value of Object.values(input).filter((one) => typeof one === "string" && one.length > 8)) {
      assert.ok(!all.includes(JSON.stringify(value).slice(1, -1)), `the log holds "${value}"`);
    }
  }
  assert.ok(!all.includes(KEY));
}

function toRecord(line: string): Json {
  const record: unknown = JSON.parse(line);
  assert.ok(isJson(record));
  return record;
}

async function digestOf(input: Json): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(input));
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The metrics are those of the calls alone, in the original's shape. */
function checkMetrics(told: Json, plays: readonly Play[]): void {
  const { metrics, ...execution } = toObject(told.tool_execution);
  assert.deepEqual(execution, {
    enabled: true,
    max_concurrent_tools: 5,
    execution_timeout: 30,
    rate_limit_window: 60,
    rate_limit_max_requests: 100,
  });
  const { tool_usage_count: counts, error_breakdown: errors, ...sums } = toObject(metrics);
  const tools = [...new Set(plays.map(({ tool }) => tool))];
  const counted = tools.map((tool) => [tool, plays.filter((play) => play.tool === tool).length]);
  assert.deepEqual(counts, Object.fromEntries(counted));
  const all = plays.length;
  const failed = plays.filter(({ fails }) => fails === true).length;
  assert.equal(sums.total_executions, all);
  assert.equal(sums.failed_executions, failed);
  assert.equal(sums.successful_executions, all - failed);
  assert.equal(sums.success_rate, (all - failed) / all);
  assert.deepEqual(errors, failed === 0 ? {} : { refused: failed });
  assert.ok(count(sums.max_concurrent_executions) >= 1);
  // The clock of the test stands still.
  assert.deepEqual(sums.average_execution_times, Object.fromEntries(tools.map((tool) => [tool, 0])));
}

function toObject(value: unknown): Json {
  assert.ok(isJson(value));
  return value;
}
