import assert from "node:assert/strict";
import { test } from "node:test";
import type { Settings } from "../../lib/config/settings.ts";
import { examine } from "../../lib/doctor/doctor.ts";
import { writeReport } from "../../lib/doctor/report.ts";
import { parseConfig } from "../../lib/config/parse.ts";
import { createGatewayContext } from "../../lib/server/create_context.ts";
import { FakeClock } from "../kit/clock.ts";

const LISTED = {
  id: "vendor/model",
  context_length: 131_072,
  top_provider: { max_completion_tokens: 8192 },
  pricing: { prompt: "0.000001", completion: "0.000004" },
};

/** Returns the report for settings and the answers of the upstream by path. */
async function reportOf(settings: Settings, { models = ["vendor/model"], status = 200, failure }: {
  models?: string[];
  status?: number;
  failure?: Error;
} = {}) {
  const requests: string[] = [];
  const network: typeof fetch = (input, init) => {
    requests.push(`${init?.method ?? "GET"} ${new URL(String(input)).pathname}`);
    if (failure !== undefined) return Promise.reject(failure);
    const isKey = String(input).endsWith("/key");
    return Promise.resolve(
      isKey && status !== 200
        ? Response.json({ error: { message: "No" } }, { status })
        : Response.json({ data: [LISTED] }),
    );
  };
  const config = parseConfig({ settings: { OPENROUTER_API_KEY: "Zq7k9mXWv0aB", ...settings } });
  const context = createGatewayContext(config, {
    fetch: network,
    clock: new FakeClock(),
  });
  const report = writeReport(await examine(context, { models, url: "http://127.0.0.1:4000" }));
  return { report, requests };
}

test("examine() reports the route, window, price and losses of a model, and sends no message", async () => {
  const { report, requests } = await reportOf({});
  const lines = report.split("\n").map((line) => line.trim());
  for (
    const line of [
      "ok    openrouter at https://openrouter.ai/api/v1: the key is valid",
      'ok    openrouter/vendor/model, called with the API "openai"',
      "ok    window of 131072 tokens; at most 8192 tokens of output; $1.00 a million tokens of input, $4.00 of output",
      "note  header.anthropic-beta: dropped",
      "note  context_management: dropped",
      "ok    off: no tool runs on this machine",
      "ok    LOG_DIR is not set",
      "ok    export ANTHROPIC_BASE_URL=http://127.0.0.1:4000",
      "ok    export ANTHROPIC_AUTH_TOKEN=any-text",
      "ok    export ANTHROPIC_MODEL=vendor/model",
      "ok    export CLAUDE_CODE_MAX_CONTEXT_TOKENS=131072",
    ]
  ) assert.ok(lines.includes(line), `${line}\n${report}`);
  assert.deepEqual(requests.filter((request) => request.startsWith("POST")), []);
  assert.doesNotMatch(report, /FAIL|Zq7k9mXWv0aB/);
});

test("examine() reports a rejected key, an unknown model and missing keys as failures", async () => {
  const rejected = await reportOf({}, { status: 401 });
  assert.match(rejected.report, /FAIL {2}openrouter at \S+: it rejects the key/);
  const unknown = await reportOf({}, { models: ["vendor/modle"] });
  assert.match(unknown.report, /FAIL {2}Cannot use model "vendor\/modle": .*the nearest is "vendor\/model"/);
  const keyless = await reportOf({ OPENROUTER_API_KEY: undefined });
  assert.match(
    keyless.report,
    /FAIL {2}Cannot use upstream "openrouter": neither the request nor the gateway has a key/,
  );
  assert.match(keyless.report, /ANTHROPIC_AUTH_TOKEN=\(your key for the upstream\)/);
});

test("examine() checks each target of an alias, and uses the first that can be used", async () => {
  const targets = [{ model: "vendor/modle" }, { model: "vendor/model" }, { model: "demo/echo" }];
  const settings = { MODEL_MAP: JSON.stringify({ fast: { targets } }) };
  const { report } = await reportOf(settings, { models: ["fast"] });
  const [, section = ""] = report.split('Model "fast"\n');
  const findings = section.split("\n").map((line) => line.trim()).filter((line) =>
    /^FAIL|called with/.test(line)
  );
  assert.match(findings[0] ?? "", /^FAIL {2}openrouter\/vendor\/modle: Cannot use model "fast"/);
  assert.match(findings[1] ?? "", /^ok {4}openrouter\/vendor\/model, called with the API "openai"$/);
  assert.match(findings[2] ?? "", /^ok {4}demo\/echo, called with/);
  assert.match(report, /CLAUDE_CODE_MAX_CONTEXT_TOKENS=131072/);
});

test("examine() names the code of a connection that fails", async () => {
  const refused = new TypeError("fetch failed", {
    cause: Object.assign(new Error("connect"), { code: "ECONNREFUSED" }),
  });
  const { report } = await reportOf({}, { failure: refused });
  assert.match(report, /FAIL {2}openrouter at \S+: it cannot be reached or fails \(ECONNREFUSED\)/);
});

test("examine() reports no loss for a request for a Claude model", async () => {
  const { report } = await reportOf({ OPENROUTER_BASE_URL: "https://api.anthropic.com/v1" }, {
    models: ["claude-opus-5-5"],
  });
  assert.match(report, /called with the API "anthropic"\n.*\n.*a request of Claude Code loses nothing/);
});

test("examine() reports a workspace that cannot be used", async () => {
  const { report } = await reportOf({
    TOOLS: "files-read",
    WORKSPACE_ROOT: "/none/such/folder",
    GATEWAY_API_KEYS: "alice-0123456789abcdef",
  });
  assert.match(report, /Tools\n {2}FAIL /);
  assert.match(report, /ANTHROPIC_AUTH_TOKEN=\(a key of the gateway\)/);
});
