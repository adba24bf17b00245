import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../kit/clock.ts";
import { createTestGateway, type TestGateway } from "../kit/gateway.ts";
import { writeChunk, writeChunks } from "../kit/streams.ts";

const HELLO = { max_tokens: 9, messages: [{ role: "user", content: "Hello" }] };
const USAGE = {
  prompt_tokens: 148_213,
  completion_tokens: 2571,
  cost: 0.1523,
  prompt_tokens_details: { cached_tokens: 142_000 },
};
const ANSWER = {
  body: writeChunks({ choices: [{ delta: { content: "Hi" }, finish_reason: "stop" }], usage: USAGE }),
};
const OVERLOADED = {
  status: 529,
  headers: { "content-type": "application/json" },
  body: '{"error":{"message":"Overloaded"}}',
};

/** Returns the text of a view, without markup. */
async function readText(gateway: TestGateway, path = ""): Promise<string> {
  const text = await (await gateway.get(`/console/${path}`)).text();
  return text.replace(/<(?:script|head)[\s\S]*?<\/(?:script|head)>/g, "").replace(/<svg[\s\S]*?<\/svg>/g, "")
    .replace(/<[^>]*>/g, " ").replace(/&quot;/g, '"').replace(/\s+/g, " ")
    .replace(/ (?=[.,;:])/g, "");
}

async function send(gateway: TestGateway, body: object, headers = {}): Promise<void> {
  await (await gateway.post({ ...HELLO, ...body }, { headers })).text();
}

async function findRequest(gateway: TestGateway, query = ""): Promise<string> {
  const text = await (await gateway.get(`/console/${query}`)).text();
  return /href="(request\?id=\w+)"/.exec(text)?.[1] ?? "";
}

const STATES: [name: string, run: (gateway: TestGateway) => Promise<void>, sentence: RegExp][] = [
  ["no request", async () => {}, /No request yet since the start 0 ms ago\./],
  [
    "one that finished",
    (gateway) => send(gateway, { model: "a/b" }),
    /No request runs\. 1 in the last hour, none failed\. \$0\.15 spent in this hour\./,
  ],
  [
    "one that failed",
    (gateway) => send(gateway, { model: "a/b", messages: [] }),
    /No request runs\. 1 in the last hour, 1 failed\. \$0 spent in this hour\./,
  ],
  [
    "several that failed",
    async (gateway) => {
      for (let nth = 0; nth < 3; nth++) await send(gateway, { model: "a/b", messages: 1 });
    },
    /3 in the last hour, 3 failed, all of them since 00:00\./,
  ],
  ["one of two hours ago", async (gateway) => {
    await send(gateway, { model: "a/b" });
    gateway.clock.advance(2 * 3_600_000);
  }, /No request runs\. 0 in the last hour, none failed\. \$0 spent/],
];

for (const [name, run, sentence] of STATES) {
  test(`Now describes the traffic, with ${name}`, async () => {
    const gateway = createTestGateway({ upstream: ANSWER });
    await run(gateway);
    assert.match(await readText(gateway), sentence);
  });
}

test("Request shows the estimated usage of an answer that was cut", async () => {
  const cut = writeChunk({ choices: [{ delta: { content: "the words of an answer ".repeat(20) } }] });
  const gateway = createTestGateway({ upstream: { body: cut } });
  await send(gateway, { model: "a/b", stream: true });
  const text = await readText(gateway, await findRequest(gateway));
  assert.doesNotMatch(text, /No usage is known/);
  assert.match(text, /Output [1-9]/);
});

test("Now shows a request while it runs, and its row when it has ended", async () => {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>({ start: (given) => void (controller = given) });
  const gateway = createTestGateway({ upstream: { body } });
  const write = (text: string) => controller?.enqueue(new TextEncoder().encode(text));
  const answering = gateway.post({ ...HELLO, model: "a/b", stream: true }, {
    headers: { "x-session-id": "session-1" },
  });
  write(writeChunk({ choices: [{ delta: { reasoning: "Let me think" } }] }));
  const reader = (await answering).body?.getReader();
  while (!(await readText(gateway)).includes("Thinking")) await reader?.read();
  gateway.clock.advance(44_000);
  const running = await readText(gateway);
  assert.match(running, /1 request running\./);
  assert.match(running, /Thinking 00:00:00 openrouter\/a\/ b .* local session- 0 ms 44 s/);
  write(writeChunk({ choices: [{ delta: {}, finish_reason: "stop" }], usage: USAGE }) + "data: [DONE]\n\n");
  controller?.close();
  for (let done = false; !done;) done = (await reader?.read())?.done ?? true;
  const ended = await readText(gateway);
  assert.match(ended, /No request runs\./);
  assert.match(
    ended,
    /200 00:00:00 openrouter\/a\/ b .* local session- 0 ms 44 s 58 148k 96% 2,571 \$0\.1523 44 s/,
  );
});

test("Now marks a request that has waited for a long time", async () => {
  const gateway = createTestGateway({ upstream: "no headers" });
  const leaving = new AbortController();
  const answering = gateway.post({ ...HELLO, model: "a/b" }, { signal: leaving.signal });
  await gateway.upstream.stalled;
  assert.match(await readText(gateway), /Waiting 00:00:00/);
  gateway.clock.advance(31_000);
  assert.match(await readText(gateway), /Waiting 31 s 00:00:00 .* slow/);
  leaving.abort();
  await (await answering).text();
  assert.match(
    await readText(gateway, await findRequest(gateway)),
    /Cancelled by the client after 31 s\..* was asked last/,
  );
});

test("Now limits the list by model, key, status, session and id, and keeps the filter in the form", async () => {
  const gateway = createTestGateway({ upstream: ANSWER });
  await send(gateway, { model: "a/b" }, { "x-session-id": "one" });
  await send(gateway, { model: "c/d" }, { "x-session-id": "two" });
  await send(gateway, { model: "c/d", messages: 1 });
  const [id] = /req_\w+/.exec(await findRequest(gateway)) ?? [""];
  const rows = async (query: string) =>
    [...(await (await gateway.get(`/console/?${query}`)).text()).matchAll(/<th scope="row"/g)].length;
  for (
    const [query, count] of [
      ["", 3],
      ["model=openrouter/a/b", 1],
      ["model=c/d", 1],
      ["key=local", 3],
      ["key=other", 0],
      ["status=Failed", 1],
      ["status=Running", 0],
      ["session=two", 1],
      ["id=tw", 1],
      [`id=${id}`, 1],
      ["before=1", 0],
      [`before=${gateway.clock.now() + 1}`, 3],
    ] as const
  ) assert.equal(await rows(query), count, query);
  const filtered = await (await gateway.get("/console/?status=Failed")).text();
  assert.match(filtered, /<option selected>Failed<\/option>/);
  assert.match(filtered, /Show all/);
  assert.match(await readText(gateway, "?key=other"), /No request matches/);
});

test("Now has the first 50 ended requests, and a link to the older ones", async () => {
  const gateway = createTestGateway();
  for (let nth = 0; nth < 60; nth++) {
    await send(gateway, { model: `model-${nth}`, messages: 1 });
    gateway.clock.advance(10);
  }
  const first = await (await gateway.get("/console/?status=Failed")).text();
  const older = /href="(\.\?[^"]*before=[^"]*)"/.exec(first)?.[1]?.replaceAll("&amp;", "&") ?? "";
  assert.match(older, /status=Failed/);
  const rest = await (await gateway.get(`/console/${older.slice(1)}`)).text();
  assert.deepEqual([first, rest].map((text) => text.match(/<th scope="row"/g)?.length), [50, 10]);
});

test("Now has a notice while a model fails, and removes it after an hour", async () => {
  const clock = new FakeClock();
  const gateway = createTestGateway({ upstream: OVERLOADED, settings: { UPSTREAM_RETRIES: 0 }, clock });
  for (let nth = 0; nth < 3; nth++) await send(gateway, { model: "a/b" });
  assert.match(
    await readText(gateway),
    /openrouter\/a\/b failed with 529 overloaded_error in 3 of its last 3 requests/,
  );
  clock.advance(3_600_001);
  assert.doesNotMatch(await readText(gateway), /Upstream fails/);
});

test("Request shows which model answered, and the duration of each step", async () => {
  const clock = new FakeClock();
  const gateway = createTestGateway({
    clock,
    settings: {
      UPSTREAM_RETRIES: 0,
      MODEL_MAP: { fast: { model: "a/b", fallbacks: ["c/d"] } },
    },
    upstream: [OVERLOADED, ANSWER],
  });
  await send(gateway, { model: "fast", metadata: { trace: "x" } }, {
    "x-correlation-id": "build-1",
    "user-agent": "claude-cli/2.1 (x)",
  });
  const text = await readText(gateway, await findRequest(gateway));
  for (
    const part of [
      /Finished after 0 ms, answered by a fallback\. The client asked for fast; openrouter\/a\/b failed; openrouter\/c\/d answered\./,
      /1 part of the request could not be sent as written/,
      /Turn 1 failed openrouter\/a\/b: 529 overloaded_error/,
      /Fallback to the next model, openrouter\/c\/d/,
      /Turn 2 openrouter\/c\/d: 6,213 tokens in, 2,571 out, end_turn/,
      /Metadata was left out: the upstream has no equivalent\. .*metadata\.trace/,
      /Input 6,213 .* Read from cache 142,000 .* Output 2,571/,
      /The upstream reports the sum/,
      /build-1/,
      /claude-cli\/2\.1 /,
      /This request was not recorded\..*RECORD_DIR=/,
    ]
  ) assert.match(text, part);
});

test("Request has the tokens of thinking among the output, and the headers of the answer", async () => {
  const usage = {
    prompt_tokens: 100,
    completion_tokens: 1803,
    completion_tokens_details: { reasoning_tokens: 411 },
  };
  const gateway = createTestGateway({
    upstream: {
      body: writeChunks({ choices: [{ delta: { content: "Hi" }, finish_reason: "stop" }], usage }),
      headers: { "content-type": "text/event-stream", "x-request-id": "up-1" },
    },
  });
  await send(gateway, { model: "a/b", metadata: { trace: "x" } }, { "x-correlation-id": "build-1" });
  const text = await readText(gateway, await findRequest(gateway));
  assert.match(text, /Output 1,803 \S+ \S+ &ensp; ?of it thinking 411 – –/);
  assert.match(
    text,
    /As sent to the client x-gateway-model: openrouter\/a\/b x-gateway-loss: \S+ request-id: req_\w+ .*x-correlation-id: build-1/,
  );
});

test("Now has the cost of the UTC day, against the budget of all keys", async () => {
  const clock = new FakeClock(Date.UTC(2026, 10, 29, 22, 30));
  const note = async (gateway: TestGateway) =>
    /Cost \$\S+ this hour (.*? today)/.exec(await readText(gateway))?.[1];
  const [open, limited] = [{}, { LIMITS: { total: { usd_day: 60 } } }].map((settings) =>
    createTestGateway({ upstream: ANSWER, clock, settings })
  );
  assert.ok(open !== undefined && limited !== undefined);
  await send(open, { model: "a/b" });
  await send(limited, { model: "a/b" });
  assert.equal(await note(open), "$0.15 today");
  assert.equal(await note(limited), "$0.15 of $60 today");
  await send(open, { model: "a/b" });
  assert.equal(await note(open), "$0.15 today", "the store is not read with each rendering");
  clock.advance(10_000);
  await note(open);
  assert.equal(await note(open), "$0.30 today");
  clock.advance(2 * 3_600_000);
  assert.equal(await note(open), "$0 today");
});

test("Now shows that the cost of the day is unknown while its store does not answer", async () => {
  // The sockets of the store's client do not keep the process alive: a timer does.
  const alive = setInterval(() => {}, 1000);
  try {
    const gateway = createTestGateway({ settings: { RATE_LIMIT_STORE: "redis://127.0.0.1:1" } });
    assert.match(await readText(gateway), /Cost \$0 this hour – today/);
  } finally {
    clearInterval(alive);
  }
});

test("Request reports an unknown id", async () => {
  const gateway = createTestGateway();
  const response = await gateway.get("/console/request?id=req_unknown");
  assert.equal(response.status, 404);
  assert.match(await response.text(), /No request with this id is known/);
});

test("Errors shows what to do about a group, resolves it, and opens it again", async () => {
  const gateway = createTestGateway({ upstream: OVERLOADED, settings: { UPSTREAM_RETRIES: 0 } });
  await send(gateway, { model: "a/b" });
  const list = await (await gateway.get("/console/errors")).text();
  const group = /errors\?group=\w+/.exec(list)?.[0] ?? "";
  assert.match(list, /1 error in 24 hours, in 1 group; 1 unresolved\./);
  assert.match(await readText(gateway, group), /What to do Set a fallback for openrouter\/a\/b/);
  const act = async (action: string) => {
    const text = await (await gateway.get(`/console/${group}`)).text();
    const token = /name="token" value="(\w+)"/.exec(text)?.[1] ?? "";
    const response = await gateway.fetch(
      new Request(`http://gateway.test/console/${group}`, {
        method: "POST",
        headers: { "content-type": "application/x-www-form-urlencoded" },
        body: new URLSearchParams({ token, action }),
      }),
    );
    assert.deepEqual([response.status, response.headers.get("location")], [303, group]);
  };
  await act("resolve");
  assert.match(await readText(gateway, group), /none unresolved\..* resolved .* Reopen/);
  await act("reopen");
  assert.match(await readText(gateway, group), /1 unresolved\./);
  await act("resolve");
  gateway.clock.advance(1);
  await send(gateway, { model: "a/b" });
  assert.match(await readText(gateway, group), /1 unresolved\..* reopened /);
});

test("Errors counts the last hour, 24 hours or 7 days", async () => {
  const gateway = createTestGateway({ upstream: OVERLOADED, settings: { UPSTREAM_RETRIES: 0 } });
  await send(gateway, { model: "a/b" });
  gateway.clock.advance(2 * 86_400_000);
  await send(gateway, { model: "a/b", messages: 1 });
  gateway.clock.advance(3_600_000);
  for (
    const [query, sentence, rows] of [
      ["?last=1h", "0 errors in 1 hour, in 0 groups; 2 unresolved.", 0],
      ["", "1 error in 24 hours, in 1 group; 2 unresolved.", 1],
      ["?last=7d", "2 errors in 7 days, in 2 groups; 2 unresolved.", 2],
      ["?last=x", "1 error in 24 hours, in 1 group; 2 unresolved.", 1],
    ] as const
  ) {
    const text = await (await gateway.get(`/console/errors${query}`)).text();
    assert.ok(text.includes(sentence), query);
    assert.equal(text.match(/<th scope="row">/g)?.length ?? 0, rows, query);
  }
  assert.match(
    await (await gateway.get("/console/errors?last=7d")).text(),
    /errors\?group=\w+&amp;last=7d#group/,
  );
});
