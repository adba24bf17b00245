import assert from "node:assert/strict";
import { test } from "node:test";
import { parseHTML } from "linkedom";
import type { SeenRequest, SeenStep } from "../../lib/observability/traffic/seen_request.ts";
import { attemptsOf, countAttempts } from "../../lib/page/views/models/attempts.ts";
import { healthOf } from "../../lib/page/views/models/upstream_rows.ts";
import { countToolCalls } from "../../lib/page/views/servers/tool_calls.ts";
import { FakeClock } from "../kit/clock.ts";
import { createTestGateway, type TestGateway } from "../kit/gateway.ts";
import { writeChunks } from "../kit/streams.ts";
import { FakeUpstream } from "../kit/upstream.ts";
import { ADMIN_KEY, signIn } from "./viewer.ts";

const HELLO = { max_tokens: 9, messages: [{ role: "user", content: "Hello" }] };
const CHUNK = {
  choices: [{ delta: { content: "Hello" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 1000, completion_tokens: 50, cost: 0.5 },
};
const LIST = {
  data: [
    {
      id: "openai/gpt-5",
      context_length: 400_000,
      pricing: { prompt: "0.00000125", completion: "0.00001", input_cache_read: "0.000000125" },
    },
    { id: "a/b" },
  ],
};

/** Returns the text of a part of a view. Default: its sentence. */
async function read(
  gateway: TestGateway,
  path: string,
  { select = ".lede", cookie = "" }: { select?: string; cookie?: string } = {},
): Promise<string[]> {
  const response = await gateway.get(`/console/${path}`, cookie === "" ? {} : { cookie });
  const { document } = parseHTML(await response.text());
  const found = [...document.querySelectorAll(select)];
  return found.map(({ textContent }) => textContent.replace(/\s+/g, " ").trim());
}

async function send(
  gateway: TestGateway,
  body: object,
  headers: Record<string, string> = {},
): Promise<number> {
  const response = await gateway.post({ ...HELLO, ...body }, { headers });
  await response.text();
  return response.status;
}

function start(settings: object = {}) {
  const clock = new FakeClock(Date.UTC(2026, 10, 29, 12));
  const upstream = new FakeUpstream({ body: writeChunks(CHUNK) }, { models: JSON.stringify(LIST) });
  return createTestGateway({ settings: settings as never, clock, upstream });
}

test("GET /console/spend has the same sums by day, model, key and session as were charged", async () => {
  const gateway = start({ LIMITS: { each: { usd_day: 2 }, total: { usd_month: 100 } } });
  for (let day = 0; day < 2; day++) {
    for (const model of ["openai/gpt-5", "openai/gpt-5", "a/b"]) {
      assert.equal(await send(gateway, { model }, { "x-claude-code-session-id": "7f3c19aa-1" }), 200);
    }
    if (day === 0) gateway.clock.advance(86_400_000);
  }
  assert.match((await read(gateway, "spend"))[0] ?? "", /^\$3\.00 since the start of the gateway at /);
  const rows = async (id: string) =>
    await read(gateway, "spend", {
      select: `table[aria-labelledby=${id}] tbody tr, table[aria-label=${id}] tbody tr`,
    });
  assert.match((await rows("by-model")).join("|"), /gpt-5.*67%\$2\.004.*\|.*a\/b.*33%\$1\.002/);
  assert.match((await rows("by-key")).join("|"), /^local.*\$3\.006/);
  assert.match((await rows("by-session")).join("|"), /^7f3c19aalocal\$3\.006/);
  assert.match(
    (await rows("limits")).join("|"),
    /Key locala day\$1\.50\$275%at 00:00 UTC.*All keysa month\$3\.00\$1003\.0%/,
  );
  const days = await read(gateway, "spend", { select: "#days tbody tr" });
  assert.deepEqual(days, ["29 November$1.5033,000150", "30 November$1.5033,000150"]);
  assert.match((await read(gateway, "spend?days=1"))[0] ?? "", /^\$1\.50 today, as much as yesterday\./);
});

test("GET /console/spend explains what to do before the first request, and without a limit", async () => {
  const gateway = start();
  assert.match(
    (await read(gateway, "spend"))[0] ?? "",
    /^Nothing was spent since the start.*No budget is set/,
  );
  const headings = await read(gateway, "spend", { select: "h3" });
  assert.deepEqual(headings, ["Send a request", "Set a budget"]);
});

test("GET /console/spend.csv has the rows of the range as a file", async () => {
  const gateway = start();
  await send(gateway, { model: "openai/gpt-5" });
  const response = await gateway.get("/console/spend.csv?days=7");
  assert.equal(response.headers.get("content-type"), "text/csv; charset=utf-8");
  assert.equal(
    response.headers.get("content-disposition"),
    'attachment; filename="spend-2026-11-23-to-2026-11-29.csv"',
  );
  assert.match(
    await response.text(),
    /\r\n2026-11-29,"local","openrouter\/openai\/gpt-5",1,1,0,0\.5,0,1000,0,0,50\r\n$/,
  );
});

for (const path of ["spend", "spend.csv", "models", "tools", "settings"]) {
  test(`GET /console/${path} needs the operator's session`, async () => {
    const gateway = start({ GATEWAY_ADMIN_KEY: ADMIN_KEY });
    assert.match(await (await gateway.get(`/console/${path}`)).text(), /<title>Sign in/);
    const signedIn = await gateway.get(`/console/${path}`, await signIn(gateway));
    assert.equal(signedIn.status, 200);
    assert.doesNotMatch(await signedIn.text(), /<title>Sign in/);
  });
}

test("GET /console/spend reports that its store does not answer", async () => {
  // The sockets of the store's client do not keep the process alive, and a fake clock has no timers that do.
  const alive = setInterval(() => {}, 1000);
  try {
    const gateway = start({ RATE_LIMIT_STORE: "redis://127.0.0.1:1" });
    assert.equal((await gateway.get("/console/spend")).status, 503);
    assert.match(
      (await read(gateway, "spend"))[0] ?? "",
      /^Spend cannot be read: its store does not answer\./,
    );
    const response = await gateway.get("/console/spend.csv");
    assert.equal(response.status, 529);
    assert.match(await response.text(), /Cannot read the spend: the store of the ledger is unreachable/);
  } finally {
    clearInterval(alive);
  }
});

test("GET /console/models has aliases, windows and prices, and models that were requested", async () => {
  const gateway = start({
    MODEL_MAP: { fast: { model: "openai/gpt-5", fallbacks: ["demo/echo"] } },
    ANTHROPIC_MODEL: "a/b",
  });
  await send(gateway, { model: "fast" });
  assert.deepEqual(await read(gateway, "models"), ["openrouter works."]);
  const aliases = await read(gateway, "models", { select: "table[aria-labelledby=aliases] tbody tr" });
  assert.deepEqual(aliases, [
    "bigopenrouter/a/bANTHROPIC_MODEL0",
    "smallopenrouter/anthropic/claude-haiku-5.5ANTHROPIC_SMALL_FAST_MODEL0",
    "fastopenrouter/openai/gpt-5 →then demo/echoMODEL_MAP1",
  ]);
  const [first] = await read(gateway, "models", { select: "table[aria-labelledby=models] tbody tr" });
  assert.match(first ?? "", /^openrouter\/openai\/gpt-5.*400k\$1\.25\$0\.125\$1010%/);
});

test("GET /console/models names the upstreams that reject their key, do not answer or fail", async () => {
  const fetch = (input: string | URL | Request) => {
    const url = input instanceof Request ? input.url : String(input);
    if (url.includes("key.example")) return Promise.resolve(new Response("{}", { status: 401 }));
    if (url.includes("down.example")) return Promise.reject(new TypeError("fetch failed"));
    if (url.includes("busy.example") && url.endsWith("/completions")) {
      return Promise.resolve(Response.json({ error: { message: "slow down" } }, { status: 429 }));
    }
    return Promise.resolve(Response.json(LIST));
  };
  const clock = new FakeClock(Date.UTC(2026, 10, 29, 12));
  const UPSTREAMS = Object.fromEntries(
    ["key", "down", "busy"].map((
      name,
    ) => [name, { url: `https://${name}.example/v1`, key: "sk-0123456789" }]),
  );
  const gateway = createTestGateway({ settings: { UPSTREAMS }, clock, fetch });
  assert.equal(await send(gateway, { model: "busy/x" }), 429);
  assert.deepEqual(await read(gateway, "models"), [
    "1 of 4 upstreams work. key refuses its key; down does not answer; busy limits the rate of requests since 12:00.",
  ]);
  const notices = await read(gateway, "models", { select: ".notice" });
  assert.equal(notices.length, 1);
  assert.match(notices[0] ?? "", /Key refused.*key refuses the gateway's key/);
});

function seen(steps: SeenStep[], fields: Partial<SeenRequest> = {}): SeenRequest {
  return {
    id: "req_1",
    startedAt: 1000,
    client: "ci",
    correlationId: "c",
    state: "finished",
    recorded: false,
    outputChars: 0,
    retries: 0,
    fallbacks: 0,
    remedies: 0,
    turns: 1,
    tools: 0,
    losses: [],
    moreLosses: 0,
    steps,
    moreSteps: 0,
    headers: [],
    ...fields,
  };
}

const turn = (name: string, outcome: string | undefined, status?: number): SeenStep => ({
  kind: "turn",
  name,
  from: 5,
  outcome,
  status,
});

test("countAttempts() counts each model that received a request, not only the one that answered", () => {
  const oldest = seen([turn("groq/x", "ok")], { startedAt: 1000 });
  const middle = seen([turn("groq/x", "failed", 429), turn("openrouter/a/b", "ok")], {
    startedAt: 2000,
    answeredBy: "openrouter/a/b",
    firstEventAt: 9000,
    endedAt: 10_000,
    fallbacks: 1,
  });
  const newest = seen([turn("groq/x", "failed", 500), turn("groq/y", undefined)], { startedAt: 3000 });
  const counted = countAttempts([newest, middle, oldest], 0);
  assert.deepEqual(counted.get("groq/x"), {
    sent: 3,
    failed: 2,
    failing: { status: 500, since: 2005 },
    firstEvents: [],
    speeds: [],
  });
  assert.deepEqual(counted.get("openrouter/a/b")?.firstEvents, [], "the time includes the model that failed");
  assert.equal(counted.get("groq/y"), undefined, "it still runs");
  assert.deepEqual(attemptsOf("groq", counted).failing, { status: 500, since: 2005 });
  assert.equal(countAttempts([newest, middle, oldest], 2500).get("groq/x")?.sent, 1);
});

test("countAttempts() ends a failure with a later success", () => {
  const failed = seen([turn("groq/x", "failed", 429)], { startedAt: 1000 });
  const worked = seen([turn("groq/x", "ok")], {
    startedAt: 2000,
    answeredBy: "groq/x",
    firstEventAt: 2500,
    endedAt: 4500,
    outputTokens: 100,
  });
  const attempts = countAttempts([worked, failed], 0).get("groq/x");
  assert.equal(attempts?.failing, undefined);
  assert.deepEqual([attempts?.firstEvents, attempts?.speeds], [[500], [50]]);
});

test("healthOf() prefers a finished check to failed requests, and these to a running check", () => {
  const upstream = {
    name: "x",
    baseUrl: "https://x.example",
    preset: "other",
    dialectChoice: "auto",
  } as const;
  const attempts = { sent: 1, failed: 1, firstEvents: [], speeds: [], failing: { status: 500, since: 1 } };
  const check = { status: "key_rejected", key: "rejected" } as const;
  assert.equal(healthOf({ upstream, check, attempts }), "key_rejected");
  assert.equal(healthOf({ upstream, check: undefined, attempts }), "failing");
  assert.equal(healthOf({ upstream, check: { status: "healthy", key: "valid" }, attempts }), "failing");
  assert.equal(
    healthOf({ upstream, check: undefined, attempts: { ...attempts, failing: undefined } }),
    "checking",
  );
});

test("countToolCalls() counts ended calls by outcome", () => {
  const tool = (name: string, outcome: string | undefined, took?: number): SeenStep => ({
    kind: "tool",
    name,
    from: 0,
    took,
    outcome,
  });
  const counted = countToolCalls([
    seen([tool("Bash", "ok", 10), tool("Bash", "failed", 20), tool("docs/search", "timeout", 30)]),
    seen([tool("Bash", "cancelled"), tool("Bash", undefined), turn("a", "ok")]),
  ]);
  assert.deepEqual(counted, [
    { tool: "Bash", calls: 3, failures: new Map([["failed", 1]]), cancelled: 1, times: [10, 20] },
    { tool: "docs/search", calls: 1, failures: new Map([["timeout", 1]]), cancelled: 0, times: [30] },
  ]);
});

test("GET /console/tools names the settings to set if there are no tools and servers", async () => {
  const gateway = start();
  assert.match(
    (await read(gateway, "tools"))[0] ?? "",
    /^The gateway runs no tools, and manages no MCP servers\./,
  );
  assert.deepEqual(await read(gateway, "tools", { select: "h3" }), [
    "Let the gateway run tools",
    "Manage MCP servers",
  ]);
});

const SECRETS = {
  OPENROUTER_API_KEY: "sk-or-0123456789secret",
  GATEWAY_API_KEYS: "team-web:client-0123456789secret",
  GATEWAY_ADMIN_KEY: ADMIN_KEY,
  UPSTREAMS: {
    groq: {
      url: "https://groq.example/v1",
      key: "gsk-0123456789secret",
      headers: { "x-a": "header-0123456789secret" },
    },
  },
  RATE_LIMIT_STORE: "memory",
  WEB_SEARCH_KEY: "search-0123456789secret",
  MODEL_MAP: { fast: { model: "a/b", options: { api_key: "option-0123456789secret" } } },
};

test("GET /console/settings has each setting with its origin, and no secret", async () => {
  const gateway = start({ ...SECRETS, UPSTREAM_RETRIES: 1 });
  const { cookie } = await signIn(gateway);
  const text = await (await gateway.get("/console/settings", { cookie })).text();
  assert.doesNotMatch(text, /secret(?!s)/i);
  assert.ok(!text.includes(ADMIN_KEY));
  const rows = await read(gateway, "settings", { select: "table.settings tbody tr", cookie });
  const of = (name: string) => rows.find((row) => row.startsWith(name));
  assert.equal(of("UPSTREAM_RETRIES"), "UPSTREAM_RETRIESsettings1default 0settings");
  assert.equal(of("OPENROUTER_API_KEY"), "OPENROUTER_API_KEYsettings•••••••• setsettings");
  assert.equal(of("GATEWAY_ADMIN_KEY"), "GATEWAY_ADMIN_KEYsettings•••••••• setsettings");
  assert.equal(of("GATEWAY_API_KEYS"), "GATEWAY_API_KEYSsettingsteam-websettings");
  assert.equal(of("REQUEST_TIMEOUT"), "REQUEST_TIMEOUTdefault3600 sdefault");
  assert.equal(of("DATA_DIR"), "DATA_DIRdefaultnot setdefault");
  const changed = await read(gateway, "settings?changed", { select: "table.settings tbody tr", cookie });
  assert.ok(changed.length > 0 && changed.every((row) => !row.endsWith("default")), changed.join("|"));
});

test("GET /console/settings names changes that need a restart, and when the others came into force", async () => {
  const gateway = start({ PORT: "4001" });
  const notices = () => read(gateway, "settings", { select: ".notice" });
  assert.deepEqual(await notices(), []);
  gateway.clock.advance(60_000);
  gateway.reload({ PORT: "4002", UPSTREAM_RETRIES: 2 });
  assert.match((await notices()).join(""), /Restart needed.*PORT\./);
  const rows = await read(gateway, "settings?changed", { select: "table.settings tbody tr" });
  assert.ok(rows.includes("PORTsettings4001default 4000settings"), "the old value is in force");
  assert.ok(rows.includes("UPSTREAM_RETRIESsettings2default 0settings"));
  assert.match((await read(gateway, "settings"))[0] ?? "", /^In force since 12:01;/);
  gateway.reload({ PORT: "4003", UPSTREAM_RETRIES: 2 });
  assert.match((await notices()).join(""), /PORT\./);
  gateway.reload({ PORT: "4001", UPSTREAM_RETRIES: 2 });
  assert.deepEqual(await notices(), [], "the change was taken back");
});
