import assert from "node:assert/strict";
import { test } from "node:test";
import { type AuditRecord, createCallRunner } from "../../../tools/toolbox/call_runner.ts";
import { FakeClock } from "../../kit/clock.ts";
import { createTestContext } from "../../server_tools/scripted_model.ts";

const LIMITS = { timeoutMs: 30_000, concurrency: 5, callsPerMinute: 0 };

test("createCallRunner() records the MCP server of a call", async () => {
  const audit: AuditRecord[] = [];
  const runner = createCallRunner({
    limits: LIMITS,
    clock: new FakeClock(),
    audit: (record) => audit.push(record),
  });
  const call = { id: "1", name: "search", server: "docs", input: {} };
  await runner.run(call, createTestContext(), () => Promise.resolve("ok"));
  await runner.run({ ...call, server: undefined }, createTestContext(), () => Promise.resolve("ok"));
  assert.deepEqual(audit.map(({ tool, server }) => [tool, server]), [["search", "docs"], [
    "search",
    undefined,
  ]]);
  assert.deepEqual(runner.metrics().tool_usage_count, { "docs/search": 1, "search": 1 });
});

test("createCallRunner() counts at most 1000 names, because clients choose those of servers", async () => {
  const runner = createCallRunner({ limits: LIMITS, clock: new FakeClock(), audit: () => {} });
  for (let nth = 0; nth < 1010; nth++) {
    const call = { id: "1", name: "search", server: `s${nth}`, input: {} };
    await runner.run(call, createTestContext(), () => Promise.resolve("ok"));
  }
  const { tool_usage_count: counts, total_executions } = runner.metrics();
  assert.deepEqual([Object.keys(counts).length, counts["(others)"], total_executions], [1001, 10, 1010]);
});
