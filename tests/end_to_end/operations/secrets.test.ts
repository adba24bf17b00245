import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { Settings } from "../../../lib/config/settings.ts";
import { createTestGateway, type TestGateway } from "../../kit/gateway.ts";
import { captureLog } from "../../kit/log.ts";
import { minimalRequest } from "../../kit/request.ts";
import { DONE, writeDelta } from "../../kit/streams.ts";
import type { FakeResponse } from "../../kit/upstream.ts";

const root = mkdtempSync(join(tmpdir(), "gateway-secrets-"));
after(() => rmSync(root, { recursive: true, force: true }));

/** Secrets without a known form, each at one place. */
const PLACED = {
  upstreamKey: "Zq7k9mXWv0aB1",
  otherKey: "Hj2Ln6Qs8Uv0X2",
  otherHeader: "Pw4Rt8sEcReT3",
  searchKey: "Bn5Vc2Xz9Lk4",
  clientKey: "Mq8Wn4Er7Ty5Ui",
  adminKey: "Ds3Fg6Hj9Kl6Po",
  unknownKey: "Ou1Iy4Tr7Ew7Qa",
  cookie: "Zx2Cv5Bn8Mz8As",
  query: "Lp9Ok8Ij7Uh9Yg",
};
/** Secrets of a known form, which may be in a prompt. */
const KNOWN = ["sk-or-v1-0123456789abcdef", "eyJhbGciOi0.eyJzdWIiOiIx.c2lnbmF0dXJl", "hunter2hunter2"];
const PROMPT = "PrOmPt-7Yx3Kq";

const settings: Settings = {
  GATEWAY_API_KEYS: `alice:${PLACED.clientKey}`,
  GATEWAY_ADMIN_KEY: PLACED.adminKey,
  OPENROUTER_API_KEY: PLACED.upstreamKey,
  WEB_SEARCH_KEY: PLACED.searchKey,
  UPSTREAMS: {
    own: { url: "https://own.test/v1", key: PLACED.otherKey, headers: { "x-tenant": PLACED.otherHeader } },
  },
};

const quoted = `Bad ${PLACED.upstreamKey} ${PLACED.otherKey} ${PLACED.otherHeader} ${PLACED.clientKey} ${
  KNOWN.join(" ")
}`
  .replace(KNOWN[2] ?? "", `password: x Bearer ${KNOWN[2]}`);
const headers = {
  "content-type": "application/json",

  "set-cookie": PLACED.cookie,
};
const fail = (status: number): FakeResponse => ({
  status,
  headers,
  body: JSON.stringify({ error: { message: quoted } }),
});
const pieces = (text: string) =>
  (text.match(/.{1,5}/g) ?? []).map((content) => writeDelta({ content })).join("");

/** What the upstream answers to each model. */
const REPLIES: Record<string, FakeResponse> = {
  answer: { body: writeDelta({ content: "Hi" }, { finish_reason: "stop" }) + DONE },
  refused: fail(400),
  rejected: fail(401),
  broken: fail(500),
  limited: fail(429),
  streamed: {
    body: `${writeDelta({ content: "Hi" })}data: ${JSON.stringify({ error: { message: quoted } })}\n\n`,
  },
  html: { headers: { "content-type": "text/html" }, body: `<html>${quoted}</html>` },
  cut: { body: writeDelta({ content: "Hi" }), ending: "reset" },
};

/** Sends requests of all kinds, and returns everything that leaves the gateway except to the upstream. */
async function collect(extra: Settings, replies = REPLIES): Promise<string> {
  const seen: string[] = [];
  const models = Object.keys(replies);
  let asked = 0;
  const gateway = createTestGateway({
    settings: { ...settings, ...extra },
    upstream: () => replies[models[Math.floor(asked++ / 2) % models.length] ?? ""] ?? {},
  });
  const keep = async (response: Response) => {
    seen.push(JSON.stringify([...response.headers]), await response.text());
  };
  const sent = { authorization: `Bearer ${PLACED.clientKey}`, cookie: PLACED.cookie, "x-session-id": "s-1" };
  const request = { system: `${PROMPT} ${KNOWN.join(" ")}`, metadata: { password: "hunter2hunter2" } };
  const lines = await captureLog(async () => {
    for (const name of models) {
      for (const stream of [true, false]) {
        const body = minimalRequest("chat", { model: `own/${name}`, stream, ...request });
        await keep(await gateway.post(body, { headers: sent, path: `/v1/messages?key=${PLACED.query}` }));
      }
    }
    await keep(await gateway.post(minimalRequest("chat"), { headers: { "x-api-key": PLACED.unknownKey } }));
    await keep(await gateway.get(`/nowhere?key=${PLACED.query}`, sent));
    const admin = { "x-api-key": PLACED.adminKey };
    for (
      const path of [
        "/metrics",
        "/status",
        "/health",
        "/health/detailed",
        "/tool-metrics",
        "/debug/errors/recent?count=100",
        "/debug/errors/stats",
      ]
    ) await keep(await gateway.get(path, admin));
    for (const path of await listPages(gateway, admin)) await keep(await gateway.get(path, admin));
    await keep(await gateway.get("/v1/sessions/s-1", sent));
    await keep(await gateway.get("/v1/sessions/s-1", { ...sent, accept: "text/plain" }));
  }, "debug");
  for (let turn = 0; turn < 100; turn++) await setImmediate();
  assert.ok(lines.length > 16);
  return [...seen, ...lines].join("\n");
}

/** Returns the addresses of the operator's page, with those of each request and each group of errors. */
async function listPages(gateway: TestGateway, headers: Record<string, string>): Promise<string[]> {
  const views = ["", "spend", "spend.csv", "models", "tools", "errors", "settings"];
  const texts = await Promise.all(
    views.map(async (view) => await (await gateway.get(`/console/${view}`, headers)).text()),
  );
  const links = texts.flatMap((text) =>
    [...text.matchAll(/href="((?:request|errors)\?\w+=\w+)/g)].map(([, link = ""]) => link)
  );
  assert.ok(links.length > 10);
  return [...views, ...new Set(links)].map((path) => `/console/${path}`);
}

function readFiles(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath ?? folder, entry.name), "utf8")).join("\n");
}

function assertWithout(text: string, secrets: readonly string[]): void {
  const plain = text.toLowerCase();
  for (const secret of secrets) {
    const at = plain.indexOf(secret.toLowerCase());
    assert.equal(at, -1, `${secret}: ${text.slice(Math.max(0, at - 300), at + 100)}`);
  }
}

test("No secret of requests, headers, settings or upstream errors is in any answer, log line, metric or file", async () => {
  const folder = join(root, "default");
  const seen = await collect({ LOG_DIR: folder });
  const files = readFiles(folder);
  assert.match(files, /"correlation_id"/);
  assertWithout(`${seen}\n${files}`, [...Object.values(PLACED), ...KNOWN, PROMPT]);
});

test("With LOG_BODIES and RECORD_DIR, files hold prompts, but no credential that can be known", async () => {
  const folder = join(root, "bodies");
  const replies = {
    ...REPLIES,
    pieces: { body: pieces(quoted) + writeDelta({}, { finish_reason: "stop" }) + DONE },
  };
  await collect({ LOG_DIR: folder, LOG_BODIES: "on", RECORD_DIR: join(folder, "recordings") }, replies);
  const files = readFiles(folder);
  assert.ok(files.includes(PROMPT));
  assert.match(readdirSync(join(folder, "recordings")).join(), /\.json/);
  assertWithout(files, [...Object.values(PLACED), ...KNOWN.slice(0, 2)]);
});
