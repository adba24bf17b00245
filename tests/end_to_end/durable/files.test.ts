import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Settings } from "../../../lib/config/settings.ts";
import { createFolders, NO_SQLITE } from "../../kit/data_dir.ts";
import { createTestGateway, type TestGateway } from "../../kit/gateway.ts";
import { minimalRequest } from "../../kit/requests/request.ts";
import { COMPLETE_STREAMS } from "../../kit/streams.ts";
import { until } from "../../kit/until.ts";
import { createStoreTest } from "./test_stores.ts";

const newFolder = createFolders();
const storeTest = createStoreTest();
const needsSqlite = { skip: NO_SQLITE };
const ALICE = { "x-api-key": "key-of-alice-1234" };
const BOB = { "x-api-key": "key-of-bob-123456" };
const PNG = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 255);

function start(settings: Settings): TestGateway {
  return createTestGateway({
    upstream: () => ({ body: COMPLETE_STREAMS.chat }),
    settings: {
      GATEWAY_API_KEYS: "alice:key-of-alice-1234,bob:key-of-bob-123456",
      LOG_LEVEL: "off",
      ...settings,
    },
  });
}

async function upload(
  gateway: TestGateway,
  file: Uint8Array | string,
  { name = "a.txt", type = "", headers = ALICE, fields = {} }: {
    name?: string;
    type?: string;
    headers?: Record<string, string>;
    fields?: Record<string, string>;
  } = {},
): Promise<Response> {
  const form = new FormData();
  form.append("file", new File([typeof file === "string" ? file : file.slice()], name, { type }));
  for (const [field, value] of Object.entries(fields)) form.append(field, value);
  return await gateway.fetch(
    new Request("http://gateway.test/v1/files", { method: "POST", headers, body: form }),
  );
}

async function remove(gateway: TestGateway, id: string, headers = ALICE): Promise<Response> {
  return await gateway.fetch(
    new Request(`http://gateway.test/v1/files/${id}`, { method: "DELETE", headers }),
  );
}

storeTest("POST /v1/files keeps a file, which its key can read, list and delete", async (newStore) => {
  const gateway = start(await newStore());
  const file = await (await upload(gateway, PNG, { name: "p\u00efc (1).png", type: "image/png" })).json();
  const { id, ...rest } = file;
  assert.match(id, /^file_/);
  assert.deepEqual(rest, {
    type: "file",
    filename: "p\u00efc (1).png",
    mime_type: "image/png",
    size_bytes: PNG.length,
    created_at: new Date(gateway.clock.now()).toISOString(),
    downloadable: true,
    expires_at: null,
  });
  assert.deepEqual(await (await gateway.get(`/v1/files/${id}`, ALICE)).json(), file);
  const content = await gateway.get(`/v1/files/${id}/content`, ALICE);
  assert.equal(content.headers.get("content-type"), "image/png");
  assert.equal(content.headers.get("x-content-type-options"), "nosniff");
  assert.match(
    content.headers.get("content-disposition") ?? "",
    /^attachment; filename\*=UTF-8''p%C3%AFc%20%281%29\.png$/,
  );
  assert.deepEqual(new Uint8Array(await content.arrayBuffer()), PNG);
  for (const path of ["", "/content"]) {
    assert.equal((await gateway.get(`/v1/files/${id}${path}`, BOB)).status, 404, `bob, ${path}`);
  }
  assert.deepEqual((await (await gateway.get("/v1/files", BOB)).json()).data, []);
  assert.equal((await remove(gateway, id, BOB)).status, 404);
  assert.deepEqual(await (await remove(gateway, id)).json(), { id, type: "file_deleted" });
  assert.equal((await gateway.get(`/v1/files/${id}/content`, ALICE)).status, 404);
  await gateway.stop();
});

storeTest("GET /v1/files has pages in both directions", async (newStore) => {
  const gateway = start(await newStore());
  const ids: string[] = [];
  for (let nth = 0; nth < 5; nth++) ids.unshift((await (await upload(gateway, "x")).json()).id);
  const page = async (query: string) => await (await gateway.get(`/v1/files${query}`, ALICE)).json();
  const idsOf = ({ data }: { data: { id: string }[] }) => data.map(({ id }) => id);
  const found: string[] = [];
  for (let next: string | null = ""; next !== null;) {
    const answer: { data: { id: string }[]; next_page: string | null } = await page(`?limit=2${next}`);
    found.push(...idsOf(answer));
    next = answer.next_page === null ? null : `&page=${answer.next_page}`;
  }
  assert.deepEqual(found, ids);
  const first = await page("?limit=2");
  assert.deepEqual([first.has_more, first.first_id, first.last_id], [true, ids[0], ids[1]]);
  assert.deepEqual(idsOf(await page(`?limit=2&after_id=${ids[1]}`)), ids.slice(2, 4));
  assert.deepEqual(idsOf(await page(`?limit=2&before_id=${ids[3]}`)), ids.slice(1, 3));
  assert.deepEqual(idsOf(await page(`?ids[]=${ids[2]}&ids[]=none`)), [ids[2]]);
  assert.equal((await page("?page=2")).error.type, "invalid_request_error");
  await gateway.stop();
});

const BAD: [
  what: string,
  send: (gateway: TestGateway) => Promise<Response>,
  status: number,
  message: RegExp,
][] = [
  ["a name with a slash", (gateway) => upload(gateway, "x", { name: "../a" }), 400, /^file: Filename/],
  [
    "an unknown field",
    (gateway) => upload(gateway, "x", { fields: { purpose: "x" } }),
    400,
    /^purpose: Extra inputs/,
  ],
  [
    "a wrong expiry",
    (gateway) => upload(gateway, "x", { fields: { expires_in_seconds: "-1" } }),
    400,
    /^expires_in_seconds: /,
  ],
  [
    "no file",
    (gateway) => {
      const body = new FormData();
      body.append("expires_in_seconds", "60");
      return gateway.fetch(
        new Request("http://gateway.test/v1/files", { method: "POST", headers: ALICE, body }),
      );
    },
    400,
    /^file: Field required$/,
  ],
  [
    "JSON",
    (gateway) => gateway.post({}, { path: "/v1/files", headers: ALICE }),
    400,
    /only multipart\/form-data is accepted/,
  ],
  ["more than the quota", (gateway) => upload(gateway, new Uint8Array(1_100_000)), 400, /may have 1 MiB/],
];

test("POST /v1/files rejects invalid uploads, and leaves no files", needsSqlite, async () => {
  const folder = newFolder();
  const gateway = start({ DATA_DIR: folder, DATA_QUOTA: 1 });
  for (const [what, send, status, message] of BAD) {
    const response = await send(gateway);
    assert.equal(response.status, status, what);
    assert.match((await response.json()).error.message, message, what);
  }
  assert.deepEqual(readdirSync(join(folder, "files")), []);
  const cut = new ReadableStream<Uint8Array>({
    start(controller) {
      const text = '--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nhalf';
      controller.enqueue(new TextEncoder().encode(text));
      controller.close();
    },
  });
  const headers = { ...ALICE, "content-type": "multipart/form-data; boundary=b" };
  assert.equal((await gateway.post(cut, { path: "/v1/files", headers })).status, 400);
  assert.deepEqual(readdirSync(join(folder, "files")), []);
  assert.equal((await upload(gateway, new Uint8Array(600_000))).status, 200);
  const full = await upload(gateway, new Uint8Array(600_000));
  assert.equal((await full.json()).error.details.error_code, "storage_quota_exceeded");
  const [name = ""] = readdirSync(join(folder, "files"));
  assert.equal(statSync(join(folder, "files", name)).mode & 0o777, 0o600);
  await gateway.stop();
});

storeTest("DATA_QUOTA holds for uploads that end together", async (newStore) => {
  const settings = await newStore();
  const gateways = [start({ ...settings, DATA_QUOTA: 1 }), start({ ...settings, DATA_QUOTA: 1 })];
  const uploads = gateways.flatMap((gateway) =>
    [1, 2, 3].map(() => upload(gateway, new Uint8Array(600_000)))
  );
  const statuses = (await Promise.all(uploads)).map(({ status }) => status);
  assert.deepEqual(statuses.sort(), [200, 400, 400, 400, 400, 400]);
  if (settings.DATA_DIR !== undefined) {
    const kept = readdirSync(join(String(settings.DATA_DIR), "files"));
    assert.equal(kept.length, 1, "a file that exceeds the quota is removed");
  }
  await Promise.all(gateways.map((gateway) => gateway.stop()));
});

storeTest("A web page cannot upload without a preflight", async (newStore) => {
  const gateway = createTestGateway({ settings: await newStore() });
  assert.equal((await upload(gateway, "x", { headers: {} })).status, 400);
  assert.equal((await upload(gateway, "x", { headers: { "anthropic-version": "2023-06-01" } })).status, 200);
  await gateway.stop();
});

storeTest("Sources of type file are converted to types that the upstream accepts", async (newStore) => {
  const gateway = start(await newStore());
  const idOf = async (...args: [Uint8Array | string, { name: string; type?: string }]) =>
    (await (await upload(gateway, ...args)).json()).id;
  const image = await idOf(PNG, { name: "a.png", type: "image/png" });
  const text = await idOf("caf\u00e9", { name: "a.md" });
  const pdf = await idOf("%PDF-1.4", { name: "a.pdf" });
  const source = (file_id: string) => ({ type: "file", file_id });
  const content = [
    { type: "image", source: source(image) },
    { type: "document", source: source(text), title: "Title" },
    { type: "document", source: source(pdf) },
  ];
  const messages = [{ role: "user", content }];
  for (const api of ["chat", "native"] as const) {
    await (await gateway.post(minimalRequest(api, { messages }), { headers: ALICE })).text();
    const sent = JSON.stringify(gateway.upstream.requests.at(-1)?.body);
    assert.ok(sent.includes(btoa(String.fromCharCode(...PNG))), sent);
    assert.ok(sent.includes("caf\u00e9"), sent);
    assert.ok(sent.includes(btoa("%PDF-1.4")), sent);
    assert.ok(!sent.includes("file_id"), sent);
  }
  const sentBefore = gateway.upstream.requests.length;
  const wrong: [what: string, block: object, headers: Record<string, string>, status: number][] = [
    ["another key's file", { type: "image", source: source(image) }, BOB, 404],
    ["an unknown file", { type: "image", source: source("file_none") }, ALICE, 404],
    ["a text as an image", { type: "image", source: source(text) }, ALICE, 400],
    ["an image as a document", { type: "document", source: source(image) }, ALICE, 400],
  ];
  for (const [what, block, headers, status] of wrong) {
    const request = minimalRequest("chat", { messages: [{ role: "user", content: [block] }] });
    assert.equal((await gateway.post(request, { headers })).status, status, what);
  }
  assert.equal(gateway.upstream.requests.length, sentBefore, "no request reaches the upstream");
  const result = {
    type: "tool_result",
    tool_use_id: "toolu_1",
    content: [{ type: "image", source: source(image) }],
  };
  const nested = [
    { role: "assistant", content: [{ type: "tool_use", id: "toolu_1", name: "t", input: {} }] },
    { role: "user", content: [result] },
  ];
  const request = minimalRequest("native", { messages: [{ role: "user", content: "Hi" }, ...nested] });
  await (await gateway.post(request, { headers: ALICE })).text();
  assert.match(JSON.stringify(gateway.upstream.requests.at(-1)?.body), /"base64","media_type":"image\/png"/);
  const unknown = minimalRequest("native", {
    messages: [{ role: "user", content: [{ type: "image", source: source("file_upstream") }] }],
  });
  await (await gateway.post(unknown, { headers: ALICE })).text();
  assert.match(JSON.stringify(gateway.upstream.requests.at(-1)?.body), /file_upstream/);
  const counted = await gateway.post({ ...request, max_tokens: undefined }, {
    path: "/v1/messages/count_tokens",
    headers: ALICE,
  });
  assert.equal(counted.status, 200);
  await gateway.stop();
});

test("A file that is deleted while a request reads it is a not_found_error", needsSqlite, async () => {
  const folder = newFolder();
  const gateway = start({ DATA_DIR: folder });
  const { id } = await (await upload(gateway, PNG, { name: "a.png", type: "image/png" })).json();
  rmSync(join(folder, "files", id));
  const content = [{ type: "image", source: { type: "file", file_id: id } }];
  const request = minimalRequest("chat", { messages: [{ role: "user", content }] });
  const response = await gateway.post(request, { headers: ALICE });
  assert.equal(response.status, 404);
  assert.equal((await response.json()).error.message, `File not found: ${id}`);
  assert.equal(gateway.upstream.requests.length, 0);
  await gateway.stop();
});

storeTest("Ids with NUL do not exist", async (newStore) => {
  const gateway = start(await newStore());
  for (const path of ["/v1/files/file_%00", "/v1/files/file_%00/content", "/v1/messages/batches/batch_%00"]) {
    assert.equal((await gateway.get(path, ALICE)).status, 404, path);
  }
  for (const path of ["/v1/files?after_id=%00", "/v1/messages/batches?before_id=%00"]) {
    assert.equal((await gateway.get(path, ALICE)).status, 200, path);
  }
  const content = [{ type: "image", source: { type: "file", file_id: "file_\0" } }];
  const request = minimalRequest("chat", { messages: [{ role: "user", content }] });
  assert.equal((await gateway.post(request, { headers: ALICE })).status, 404);
  await gateway.stop();
});

test("A file expires, and the remains of uploads are removed", needsSqlite, async () => {
  const folder = newFolder();
  const gateway = start({ DATA_DIR: folder });
  const { id, expires_at } = await (await upload(gateway, "x", { fields: { expires_in_seconds: "60" } }))
    .json();
  assert.equal(expires_at, new Date(gateway.clock.now() + 60_000).toISOString());
  const leftover = join(folder, "files", "file_x.part");
  writeFileSync(leftover, "half");
  utimesSync(leftover, 0, 0);
  assert.equal(readFileSync(join(folder, "files", id), "utf8"), "x");
  gateway.clock.advance(60_000);
  const response = await gateway.get(`/v1/files/${id}/content`, ALICE);
  assert.equal(response.status, 404);
  assert.equal((await response.json()).error.details.error_code, "file_expired");
  assert.deepEqual((await (await gateway.get("/v1/files", ALICE)).json()).data, []);
  await until(() => readdirSync(join(folder, "files")).length === 0);
  await gateway.stop();
});

test("Files without DATA_DIR are a not_found_error that names it", async () => {
  const gateway = createTestGateway();
  const response = await gateway.get("/v1/files");
  assert.equal(response.status, 404);
  assert.match((await response.json()).error.message, /DATA_DIR/);
});
