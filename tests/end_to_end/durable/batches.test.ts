import assert from "node:assert/strict";
import { test } from "node:test";
import type { Settings } from "../../../lib/config/settings.ts";
import { nextTask } from "../../../lib/runtime/next_task.ts";
import { openDatabase } from "../../../lib/runtime/sqlite.ts";
import { FakeClock } from "../../kit/clock.ts";
import { createFolders, NO_SQLITE } from "../../kit/data_dir.ts";
import { createTestGateway, type TestGateway, type TestGatewayOptions } from "../../kit/gateway.ts";
import type { Json } from "../../kit/json.ts";
import { minimalRequest } from "../../kit/requests/request.ts";
import { COMPLETE_STREAMS } from "../../kit/streams.ts";
import { until } from "../../kit/until.ts";
import { FakeUpstream } from "../../kit/upstream.ts";
import { createStoreTest } from "./test_stores.ts";

const newFolder = createFolders();
const storeTest = createStoreTest();
const PATH = "/v1/messages/batches";
const ANSWERS = () => ({ body: COMPLETE_STREAMS.chat });

interface Batch {
  id: string;
  processing_status: string;
  request_counts: Record<string, number>;
  results_url: string | null;
  [field: string]: unknown;
}

function start(settings: Settings, options: TestGatewayOptions = {}): TestGateway {
  return createTestGateway({ upstream: ANSWERS, ...options, settings: { LOG_LEVEL: "off", ...settings } });
}

function toRequests(count: number, params: Json = minimalRequest("chat")): object {
  return { requests: Array.from({ length: count }, (_, nth) => ({ custom_id: `item-${nth}`, params })) };
}

async function create(
  gateway: TestGateway,
  body: object,
  headers: Record<string, string> = {},
): Promise<Batch> {
  const response = await gateway.post(body, { path: PATH, headers });
  assert.equal(response.status, 200, await response.clone().text());
  return await response.json();
}

/** Waits until a batch has the given status. The clock advances, so that pauses end. */
async function waitForBatch(
  gateway: TestGateway,
  id: string,
  status = "ended",
  headers = {},
): Promise<Batch> {
  let batch: Batch | undefined;
  await until(async () => {
    batch = await readBatch(gateway, id, headers);
    gateway.clock.advance(100);
    return batch.processing_status === status;
  });
  assert.ok(batch);
  return batch;
}

async function readBatch(gateway: TestGateway, id: string, headers = {}): Promise<Batch> {
  return await (await gateway.get(`${PATH}/${id}`, headers)).json();
}

async function results(
  gateway: TestGateway,
  id: string,
  headers = {},
): Promise<{ custom_id: string; result: Json }[]> {
  const response = await gateway.get(`${PATH}/${id}/results`, headers);
  assert.equal(response.status, 200);
  const text = await response.text();
  return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

storeTest(
  "POST /v1/messages/batches answers every request, and counts them meanwhile",
  async (newStore) => {
    const gateway = start({ ...await newStore() });
    const created = await create(gateway, toRequests(25));
    assert.match(created.id, /^msgbatch_/);
    assert.deepEqual(
      { ...created, id: "", created_at: "", expires_at: "" },
      {
        id: "",
        type: "message_batch",
        processing_status: "in_progress",
        request_counts: { processing: 25, succeeded: 0, errored: 0, canceled: 0, expired: 0 },
        ended_at: null,
        created_at: "",
        expires_at: "",
        archived_at: null,
        cancel_initiated_at: null,
        results_url: null,
      },
    );
    const ended = await waitForBatch(gateway, created.id);
    assert.deepEqual(ended.request_counts, {
      processing: 0,
      succeeded: 25,
      errored: 0,
      canceled: 0,
      expired: 0,
    });
    assert.equal(ended.results_url, `http://gateway.test${PATH}/${created.id}/results`);
    const lines = await results(gateway, created.id);
    assert.deepEqual(
      lines.map(({ custom_id }) => custom_id),
      Array.from({ length: 25 }, (_, nth) => `item-${nth}`),
    );
    for (const { result } of lines) {
      assert.equal(result.type, "succeeded");
      assert.match(JSON.stringify(result.message), /"type":"message".*"Hi"/);
    }
    assert.equal(gateway.upstream.requests.length, 25);
    await gateway.stop();
  },
);

storeTest("A request that is invalid by itself is errored, and the others are answered", async (newStore) => {
  const gateway = start({ ...await newStore() });
  const { id } = await create(gateway, {
    requests: [
      { custom_id: "no-messages", params: { model: "vendor/model", max_tokens: 8 } },
      { custom_id: "streamed", params: minimalRequest("chat", { stream: true }) },
      { custom_id: "good", params: minimalRequest("chat") },
      {
        custom_id: "tools-off",
        params: minimalRequest("chat", { tools: [{ type: "mcp_toolset", mcp_server_name: "workspace" }] }),
      },
    ],
  });
  const { request_counts } = await waitForBatch(gateway, id);
  assert.deepEqual(request_counts, { processing: 0, succeeded: 1, errored: 3, canceled: 0, expired: 0 });
  const [first, second] = await results(gateway, id);
  assert.match(
    JSON.stringify(first?.result),
    /"errored".*"type":"error".*"invalid_request_error".*messages: Field required.*req_/,
  );
  assert.match(JSON.stringify(second?.result), /Streaming is not supported/);
  assert.equal(gateway.upstream.requests.length, 1);
  await gateway.stop();
});

const BAD: [what: string, body: object | string, status: number, message: RegExp][] = [
  ["no requests", { requests: [] }, 400, /^requests: List should have at least 1 item/],
  ["a missing list", {}, 400, /^requests: Field required$/],
  [
    "a duplicate id",
    { requests: [0, 1, 0].map((nth) => ({ custom_id: `a${nth}`, params: {} })) },
    400,
    /^requests\.2\.custom_id: /,
  ],
  ["no id", { requests: [{ params: {} }] }, 400, /^requests\.0\.custom_id: Field required$/],
  [
    "an id with a space",
    { requests: [{ custom_id: "a b", params: {} }] },
    400,
    /^requests\.0\.custom_id: String should match/,
  ],
  ["no params", { requests: [{ custom_id: "a" }] }, 400, /^requests\.0\.params: Field required$/],
  [
    "params that are a list",
    { requests: [{ custom_id: "a", params: [] }] },
    400,
    /^requests\.0\.params: Input should be an object$/,
  ],
  ["a request that is not JSON", '{"requests":[{"custom_id":}]}', 400, /^requests\.0: .*not valid JSON/],
  [
    "a number that is not finite",
    '{"requests":[{"custom_id":"a","params":{"x":1e999}}]}',
    400,
    /^requests\.0\.params\.x: Input should be a finite number$/,
  ],
];

storeTest("POST /v1/messages/batches rejects a list that is wrong as a whole", async (newStore) => {
  const gateway = start({ ...await newStore() });
  for (const [what, body, status, message] of BAD) {
    const response = await gateway.post(body, { path: PATH });
    assert.equal(response.status, status, what);
    assert.match((await response.json()).error.message, message, what);
  }
  assert.deepEqual((await (await gateway.get(PATH)).json()).data, []);
  const full = start({ ...await newStore(), DATA_QUOTA: 1 });
  const large = toRequests(1, minimalRequest("chat", { metadata: { user_id: "x".repeat(2_000_000) } }));
  const response = await full.post(large, { path: PATH });
  assert.equal(response.status, 400);
  assert.equal((await response.json()).error.details.error_code, "storage_quota_exceeded");
  await gateway.stop();
  await full.stop();
});

storeTest(
  "GET /v1/messages/batches has pages in both directions, and returns only batches of the key",
  async (newStore) => {
    const gateway = start({
      ...await newStore(),
      GATEWAY_API_KEYS: "alice:key-of-alice-1234,bob:key-of-bob-123456",
    });
    const [alice, bob] = [{ "x-api-key": "key-of-alice-1234" }, { "x-api-key": "key-of-bob-123456" }];
    const ids: string[] = [];
    for (let nth = 0; nth < 5; nth++) ids.unshift((await create(gateway, toRequests(1), alice)).id);
    const page = async (query: string, headers = alice) => {
      const { data, has_more, first_id, last_id } = await (await gateway.get(`${PATH}${query}`, headers))
        .json();
      return { ids: data.map(({ id }: Batch) => id), has_more, ends: [first_id, last_id] };
    };
    const slice = (from: number, to: number, has_more: boolean) => ({
      ids: ids.slice(from, to),
      has_more,
      ends: [ids[from], ids[to - 1]],
    });
    assert.deepEqual(await page(""), slice(0, 5, false));
    assert.deepEqual(await page("?limit=2"), slice(0, 2, true));
    assert.deepEqual(await page(`?limit=2&after_id=${ids[1]}`), slice(2, 4, true));
    assert.deepEqual(await page(`?limit=2&before_id=${ids[3]}`), slice(1, 3, true));
    assert.deepEqual(await page("", bob), { ids: [], has_more: false, ends: [null, null] });
    for (const path of ["", "/results"]) {
      assert.equal((await gateway.get(`${PATH}/${ids[0]}${path}`, bob)).status, 404);
    }
    const response = await gateway.post("", { path: `${PATH}/${ids[0]}/cancel`, headers: bob });
    assert.equal(response.status, 404);
    await gateway.stop();
  },
);

storeTest(
  "POST …/cancel cancels requests that have not begun, and DELETE removes a batch that has ended",
  async (newStore) => {
    const upstream = new FakeUpstream("no headers");
    const gateway = start({ ...await newStore(), BATCH_CONCURRENCY: 2 }, { upstream });
    const { id } = await create(gateway, toRequests(5));
    await upstream.stalled;
    const remove = () => gateway.fetch(new Request(`http://gateway.test${PATH}/${id}`, { method: "DELETE" }));
    assert.equal((await remove()).status, 400);
    assert.equal((await gateway.get(`${PATH}/${id}/results`)).status, 404);
    const cancel = () =>
      gateway.fetch(new Request(`http://gateway.test${PATH}/${id}/cancel`, { method: "POST" }));
    const canceling: Batch = await (await cancel()).json();
    assert.equal(canceling.processing_status, "canceling");
    assert.notEqual(canceling.cancel_initiated_at, null);
    // Running requests time out, and are not retried.
    const ended = await waitForBatch(gateway, id);
    assert.equal(ended.request_counts.canceled, 5);
    assert.equal((await (await cancel()).json()).processing_status, "ended");
    const types = (await results(gateway, id)).map(({ result }) => result.type);
    assert.deepEqual(types, Array(5).fill("canceled"));
    assert.deepEqual(await (await remove()).json(), { id, type: "message_batch_deleted" });
    assert.equal((await gateway.get(`${PATH}/${id}`)).status, 404);
    await gateway.stop();
  },
);

storeTest(
  "A batch expires after a day, and does not continue for a key that was removed",
  async (newStore) => {
    const settings = { ...await newStore(), GATEWAY_API_KEYS: "alice:key-of-alice-1234" };
    const headers = { "x-api-key": "key-of-alice-1234" };
    const maker = start({ ...settings, BATCH_CONCURRENCY: 1 }, { upstream: "no headers" });
    const { id } = await create(maker, toRequests(3), headers);
    await maker.upstream.stalled;
    await stopNow(maker);
    const clock = new FakeClock(maker.clock.now());
    const without = start({ ...settings, GATEWAY_API_KEYS: "bob:key-of-bob-123456" }, { clock });
    for (let turn = 0; turn < 20; turn++) {
      clock.advance(1000);
      await nextTask();
    }
    assert.equal(without.upstream.requests.length, 0);
    await without.stop();
    const last = start(settings, { clock: new FakeClock(clock.now() + 24 * 60 * 60 * 1000) });
    const { request_counts } = await waitForBatch(last, id, "ended", headers);
    assert.equal(request_counts.expired, 3);
    await last.stop();
  },
);

storeTest("A batch continues after a restart, with its unfinished requests", async (newStore) => {
  const settings = { ...await newStore(), BATCH_CONCURRENCY: 2 };
  const upstream = new FakeUpstream((nth) => nth < 4 ? ANSWERS() : "no headers");
  const first = start(settings, { upstream });
  const { id } = await create(first, toRequests(10));
  await upstream.stalled;
  await stopNow(first);
  const second = start(settings, { clock: first.clock });
  const { request_counts } = await waitForBatch(second, id);
  assert.equal(request_counts.succeeded, 10);
  const answered = (await results(second, id)).filter(({ result }) => result.type === "succeeded");
  assert.equal(answered.length, 10);
  assert.equal(second.upstream.requests.length, 6, "finished requests are not repeated");
  await second.stop();
});

storeTest("A result that arrives while the gateway stops is saved", async (newStore) => {
  const settings = { ...await newStore() };
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const first = start(settings, { upstream: { body: readable } });
  const { id } = await create(first, toRequests(1));
  while (first.upstream.requests.length === 0) await nextTask();
  const stopped = first.stop();
  const writer = writable.getWriter();
  await writer.write(new TextEncoder().encode(COMPLETE_STREAMS.chat));
  await writer.close();
  await stopped;
  const second = start(settings, { clock: first.clock });
  assert.equal((await waitForBatch(second, id)).request_counts.succeeded, 1);
  assert.equal(second.upstream.requests.length, 0);
  await second.stop();
});

storeTest(
  "Requests of a batch pass the hooks, and those of models that their key may not use are errored",
  async (newStore) => {
    const seen: string[] = [];
    const settings = {
      ...await newStore(),
      GATEWAY_API_KEYS: "alice:key-of-alice-1234",
      MODEL_ACCESS: { alice: ["open/*"] },
    };
    const gateway = start(settings, {
      hooks: {
        onRequest({ client, message }) {
          seen.push(`${client} asks ${message.model}`);
          if (message.model === "open/refused") return { refuse: "Not today" };
          return message.model === "open/other" ? { model: "closed/rewritten" } : undefined;
        },
        onResponse: ({ request }) => void seen.push(`answered by ${request.model}`),
      },
    });
    const headers = { "x-api-key": "key-of-alice-1234" };
    const models = ["open/model", "open/refused", "open/other", "closed/model"];
    const requests = models.map((model, nth) => ({
      custom_id: `item-${nth}`,
      params: { ...minimalRequest("chat"), model },
    }));
    const { id } = await create(gateway, { requests }, headers);
    await waitForBatch(gateway, id, "ended", headers);
    const [answered, refused, ...forbidden] = await results(gateway, id, headers);
    assert.match(JSON.stringify(answered?.result), /"succeeded".*"Hi"/);
    assert.match(JSON.stringify(refused?.result), /"errored".*"permission_error".*Not today/);
    assert.equal(forbidden.length, 2);
    for (const { result } of forbidden) {
      assert.match(
        JSON.stringify(result),
        /"errored".*"permission_error".*closed\/.*is not allowed to use it/,
      );
    }
    assert.deepEqual(gateway.upstream.requests.map(({ body }) => body["model"]), ["open/model"]);
    assert.deepEqual(
      seen.toSorted(),
      [...models.map((model) => `alice asks ${model}`), "answered by open/model"].toSorted(),
    );
    await gateway.stop();
  },
);

storeTest(
  "Gateway.reload() keeps the batches, and answers later ones under the new settings",
  async (newStore) => {
    const store = await newStore();
    const [alice, bob] = [{ "x-api-key": "key-of-alice-1234" }, { "x-api-key": "key-of-bob-123456" }];
    const gateway = start({ ...store, GATEWAY_API_KEYS: "alice:key-of-alice-1234" });
    const { id: earlier } = await create(gateway, toRequests(1), alice);
    await waitForBatch(gateway, earlier, "ended", alice);
    const names = gateway.reload({
      LOG_LEVEL: "off",
      ...store,
      GATEWAY_API_KEYS: "alice:key-of-alice-1234,bob:key-of-bob-123456",
      MODEL_ACCESS: { bob: [] },
    });
    assert.deepEqual(names, { changed: ["GATEWAY_API_KEYS", "MODEL_ACCESS"], restart: [] });
    assert.equal((await results(gateway, earlier, alice)).length, 1);
    const { id } = await create(gateway, toRequests(2), bob);
    const { request_counts } = await waitForBatch(gateway, id, "ended", bob);
    assert.deepEqual(request_counts, { processing: 0, succeeded: 0, errored: 2, canceled: 0, expired: 0 });
    await gateway.stop();
  },
);

storeTest("Requests of a batch can name files of its client", async (newStore) => {
  const gateway = start({ ...await newStore() });
  const headers = { "x-api-key": "key-of-a-client" };
  const body = new FormData();
  body.append("file", new File(["of the file"], "a.txt"));
  const { id: file_id } = await (await gateway.fetch(
    new Request("http://gateway.test/v1/files", { method: "POST", headers, body }),
  )).json();
  const content = [{ type: "document", source: { type: "file", file_id } }];
  const params = minimalRequest("chat", { messages: [{ role: "user", content }] });
  const { id } = await create(gateway, toRequests(1, params), headers);
  assert.equal((await waitForBatch(gateway, id, "ended", headers)).request_counts.succeeded, 1);
  assert.match(JSON.stringify(gateway.upstream.requests[0]?.body), /of the file/);
  await gateway.stop();
});

storeTest("Batches keep the limits of their key, and end with its budget", async (newStore) => {
  let running = 0;
  let most = 0;
  const slow: typeof fetch = async (input) => {
    if (String(input).endsWith("/models")) return new Response(null, { status: 404 });
    most = Math.max(most, ++running);
    do await nextTask(); while (most < 2);
    running--;
    const usage = { prompt_tokens: 1, completion_tokens: 1, cost: 0.4 };
    const body = COMPLETE_STREAMS.chat.replace(
      "data: [DONE]",
      `data: ${JSON.stringify({ choices: [], usage })}\n\ndata: [DONE]`,
    );
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  };
  const limited = start({ ...await newStore(), LIMITS: { each: { concurrent: 2 } } }, { fetch: slow });
  const { id } = await create(limited, toRequests(20));
  assert.equal((await waitForBatch(limited, id)).request_counts.succeeded, 20);
  assert.equal(most, 2);
  await limited.stop();

  const poor = start({ ...await newStore(), BATCH_CONCURRENCY: 1, LIMITS: { each: { usd_day: 1 } } }, {
    fetch: slow,
  });
  const spent = await create(poor, toRequests(20));
  const { request_counts } = await waitForBatch(poor, spent.id);
  assert.deepEqual(request_counts, { processing: 0, succeeded: 3, errored: 17, canceled: 0, expired: 0 });
  assert.match(JSON.stringify((await results(poor, spent.id)).at(-1)), /billing_error/);
  await poor.stop();
});

storeTest("Batches that arrive at the same time keep DATA_QUOTA together", async (newStore) => {
  const gateway = start({ ...await newStore(), DATA_QUOTA: 1 });
  const body = JSON.stringify(toRequests(1, minimalRequest("chat", { system: "x".repeat(700_000) })));
  const bodies = Array.from({ length: 2 }, () => {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    return { readable, writer: writable.getWriter() };
  });
  const responses = bodies.map(({ readable }) =>
    gateway.fetch(
      new Request(`http://gateway.test${PATH}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: readable,
        duplex: "half",
      } as RequestInit),
    )
  );
  const bytes = new TextEncoder().encode(body);
  await Promise.all(bodies.map(({ writer }) => writer.write(bytes.slice(0, -1))));
  for (const [nth, { writer }] of bodies.entries()) {
    void writer.write(bytes.slice(-1));
    await writer.close();
    const response = await responses[nth];
    assert.equal(response?.status, nth === 0 ? 200 : 400);
    if (nth > 0) assert.match(await response?.text() ?? "", /storage_quota_exceeded/);
  }
  await gateway.stop();
});

storeTest("A batch with one slot starts the next request when one ends", async (newStore) => {
  const gateway = start({ ...await newStore(), LIMITS: { each: { concurrent: 1 } } });
  const { id } = await create(gateway, toRequests(50));
  // The clock stands still: no tick continues the batch.
  await until(async () => (await readBatch(gateway, id)).processing_status === "ended");
  assert.equal((await readBatch(gateway, id)).request_counts.succeeded, 50);
  await gateway.stop();
});

test(
  "Requests of a batch are answered once if their results cannot be saved",
  { skip: NO_SQLITE },
  async () => {
    const folder = newFolder();
    const gateway = start({ DATA_DIR: folder, BATCH_CONCURRENCY: 2 });
    const database = openDatabase(`${folder}/gateway.sqlite`);
    database.exec(
      "CREATE TRIGGER full BEFORE UPDATE OF succeeded ON batches BEGIN SELECT RAISE(ABORT, 'full'); END",
    );
    const { id } = await create(gateway, toRequests(6));
    for (let turn = 0; turn < 200; turn++) {
      gateway.clock.advance(100);
      await nextTask();
    }
    assert.equal(gateway.upstream.requests.length, 2, "the others wait");
    database.exec("DROP TRIGGER full");
    database.close();
    assert.equal((await waitForBatch(gateway, id)).request_counts.succeeded, 6);
    assert.equal(gateway.upstream.requests.length, 6);
    await gateway.stop();
  },
);

storeTest("A request is retried after a short failure of its upstream", async (newStore) => {
  const upstream = new FakeUpstream((nth) => nth < 2 ? { status: 529, body: "{}" } : ANSWERS());
  const gateway = start({ ...await newStore() }, { upstream });
  const { id } = await create(gateway, toRequests(1));
  assert.equal((await waitForBatch(gateway, id)).request_counts.succeeded, 1);
  assert.equal(upstream.requests.length, 3);
  await gateway.stop();
});

storeTest(
  "A client's upstream key is not stored, and its batch waits for the key after a restart",
  async (newStore) => {
    const settings = { ...await newStore(), OPENROUTER_API_KEY: undefined };
    const headers = { "x-api-key": "sk-or-of-the-client" };
    const first = start(settings, { upstream: "no headers" });
    const { id } = await create(first, toRequests(1), headers);
    await first.upstream.stalled;
    await stopNow(first);
    const second = start(settings, { clock: first.clock });
    for (let turn = 0; turn < 20; turn++) await nextTask();
    assert.equal(second.upstream.requests.length, 0);
    assert.equal((await second.get(`${PATH}/${id}`, { "x-api-key": "sk-or-other" })).status, 404);
    assert.equal((await waitForBatch(second, id, "ended", headers)).request_counts.succeeded, 1);
    const [sent] = second.upstream.requests;
    assert.equal(sent?.headers.get("authorization"), "Bearer sk-or-of-the-client");
    await second.stop();
  },
);

test("Message batches without DATA_DIR are a not_found_error that names it", async () => {
  const gateway = createTestGateway();
  const response = await gateway.post(toRequests(1), { path: PATH });
  assert.equal(response.status, 404);
  assert.match((await response.json()).error.message, /DATA_DIR/);
});

/** Stops a gateway whose requests do not end: its deadline passes. */
async function stopNow(gateway: TestGateway): Promise<void> {
  const stopped = gateway.stop();
  gateway.clock.advance(60_000);
  await stopped;
}
