import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCountTokensRequest } from "../../lib/anthropic/parse.ts";
import type { CountTokensRequest } from "../../lib/anthropic/schema.ts";
import { createCalibration } from "../../lib/tokens/calibration.ts";
import { toSlug } from "../../lib/upstreams/resolve.ts";
import { estimateTokens } from "../../lib/tokens/estimate.ts";
import { isRepresentative } from "../../lib/tokens/representative.ts";
import { countByRuns, type TextCounter } from "../../lib/tokens/text.ts";
import { readCorpus, type Recording } from "./corpus.ts";
import { foldEvents, parseEvents } from "../kit/events.ts";
import { count, dig, isJson } from "../kit/json.ts";

/** A recorded request, and the input tokens that Anthropic's API reported. */
interface Counted {
  model: string;
  request: CountTokensRequest;
  reported: number;
}

/** Tools that Anthropic's API runs: it counts their results again in each further turn of the model. */
const RUN_THERE = /"type":"(web_search|web_fetch|code_execution|tool_search_tool)_|"mcp_servers"/;

const recordings = readCorpus();

if (recordings === undefined) {
  const skip = "there is no ../shared/corpus beside this checkout";
  console.log(`count_tokens corpus: skipped: ${skip}`);
  test("estimateTokens() is close to the counts of Anthropic's API (no corpus)", { skip }, () => {});
} else {
  const counted = recordings.flatMap(toCounted);

  test("estimateTokens() is close to the counts of Anthropic's API", () => {
    const all = counted.map((one) => missOf(estimate(one, countByRuns), one));
    console.log(`count_tokens corpus: ${counted.length} recorded counts, the estimates miss by ${show(all)}`);
    assert.ok(counted.length > 40 && median(all) < 0.08, show(all));
    const { before, after } = judge(counted, countByRuns);
    console.log(
      `  ${before.length} that can be learned of: ${show(before)}; learned from the others: ${show(after)}`,
    );
    assert.ok(median(before) < 0.05 && worst(before) < 0.12, show(before));
    assert.ok(median(after) < 0.05 && worst(after) < 0.12, show(after));
  });

  test("createCalibration() corrects the estimate for an unknown vocabulary", () => {
    for (const finer of [0.4, 1.6, 2.5]) {
      const { before, after } = judge(counted, (text) => countByRuns(text) * finer);
      const then = `learned from the others: ${show(after)}`;
      console.log(`  ${before.length} with words counted ${finer} times: ${show(before)}; ${then}`);
      assert.ok(median(after) < median(before) && worst(after) < worst(before));
    }
  });
}

/** Returns the errors of the estimates before learning, and after learning from all others of the same model. */
function judge(counted: readonly Counted[], counter: TextCounter): { before: number[]; after: number[] } {
  const known = counted.map((one) => ({ ...one, estimate: estimate(one, counter) }));
  const representative = known.filter(({ request, estimate }) => isRepresentative(request, estimate));
  const pairs = representative.flatMap((one) => {
    const calibration = createCalibration();
    for (const other of representative) if (other !== one) calibration.learn(other.model, other);
    const corrected = calibration.correct(one.model, one.estimate);
    return corrected ? [{ before: missOf(one.estimate, one), after: missOf(corrected.tokens, one) }] : [];
  });
  assert.ok(pairs.length > 15, `${pairs.length} can be learned of`);
  return { before: pairs.map(({ before }) => before), after: pairs.map(({ after }) => after) };
}

function estimate({ request }: Counted, counter: TextCounter): number {
  return estimateTokens(request, counter);
}

function missOf(tokens: number, { reported }: Counted): number {
  return Math.abs(tokens - reported) / reported;
}

function median(misses: readonly number[]): number {
  return misses.toSorted((a, b) => a - b)[Math.floor(misses.length / 2)] ?? NaN;
}

function worst(misses: readonly number[]): number {
  return Math.max(...misses);
}

function show(misses: readonly number[]): string {
  const [middle, most] = [median(misses), worst(misses)].map((miss) => `${(miss * 100).toFixed(1)} %`);
  return `${middle} in the middle, ${most} at worst`;
}

function toCounted({ kind, status, streamed, request, read }: Recording): Counted[] {
  if (!kind.startsWith("anthropic.") || status !== 200 || request?.model === undefined) return [];
  if (RUN_THERE.test(JSON.stringify(request))) return [];
  const reported = toReported(new TextDecoder().decode(read()), streamed);
  const counted = parseCountTokensRequest(request);
  return reported > 0 ? [{ model: toSlug(counted.model), request: counted, reported }] : [];
}

function toReported(body: string, streamed: boolean): number {
  // OpenRouter ends its streams of Anthropic's events with `[DONE]` as well.
  const plain = body.replace(/^event: data\r?\ndata: \[DONE\]\r?\n/m, "");
  const answer: unknown = streamed ? foldEvents(parseEvents(plain)) : JSON.parse(plain);
  const usage = isJson(answer) && isJson(answer.usage) ? answer.usage : answer;
  const parts = ["input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"];
  return parts.reduce((sum, part) => sum + count(dig(usage, part)), 0);
}
