import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { Settings } from "../../../lib/config/settings.ts";
import { parseConfig } from "../../../lib/config/parse.ts";
import { examine } from "../../../lib/doctor/doctor.ts";
import { writeReport } from "../../../lib/doctor/report.ts";
import { createGatewayContext } from "../../../lib/server/create_context.ts";
import { ROUTES } from "../../../lib/server/routes.ts";
import { NO_SQLITE } from "../../kit/data_dir.ts";
import { createTestGateway, type TestGateway } from "../../kit/gateway.ts";
import { captureLog } from "../../kit/log.ts";
import { serveMcp } from "../../kit/servers/mcp_server.ts";
import { minimalRequest } from "../../kit/requests/request.ts";
import { DONE, writeDelta } from "../../kit/streams.ts";
import type { FakeResponse } from "../../kit/upstream.ts";

const root = mkdtempSync(join(tmpdir(), "gateway-secrets-"));
after(() => rmSync(root, { recursive: true, force: true }));

/** Secrets without a known form, each in one place. */
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
  mcpHeader: "Wd6Ef3Rg5Th8Yj",
  mcpEnv: "Qa4Ws7Ed2Rf9Tg",
  mcpArgument: "Yh5Uj8Ik2Ol4Pa",
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

/** Responses of the upstream by model. */
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

/** All texts that the gateway sends, except to upstreams and MCP servers, by surface. */
type Surfaces = Map<string, string>;

/** Values of the parameters of paths. */
const PARAMETERS: Record<string, string> = { name: "docs", id: "s-1" };

/** Sends requests of all kinds, then calls every endpoint, and returns the texts by surface. */
async function collect(extra: Settings, replies = REPLIES): Promise<Surfaces> {
  const surfaces: Surfaces = new Map();
  const keep = async (surface: string, response: Response) => {
    const text = `${JSON.stringify([...response.headers])}${await response.text()}`;
    surfaces.set(surface, (surfaces.get(surface) ?? "") + text);
  };
  const models = Object.keys(replies);
  let count = 0;
  const gateway = createTestGateway({
    settings: { ...settings, ...extra },
    upstream: () => replies[models[Math.floor(count++ / 2) % models.length] ?? ""] ?? {},
  });
  const sent = { authorization: `Bearer ${PLACED.clientKey}`, cookie: PLACED.cookie, "x-session-id": "s-1" };
  const admin = { "x-api-key": PLACED.adminKey };
  const request = { system: `${PROMPT} ${KNOWN.join(" ")}`, metadata: { password: "hunter2hunter2" } };
  const path = `/v1/messages?key=${PLACED.query}`;
  const lines = await captureLog(async () => {
    for (const name of models) {
      for (const stream of [true, false]) {
        const body = minimalRequest("chat", { model: `own/${name}`, stream, ...request });
        const headers = { ...sent, "idempotency-key": `${name} ${stream}` };
        await keep("answers", await gateway.post(body, { headers, path }));
      }
    }
    // Names that clients choose.
    const named = { model: `own/${KNOWN[0]}`, tools: [{ type: "mcp_toolset", mcp_server_name: KNOWN[0] }] };
    const ids = { "x-session-id": `${KNOWN[0]}`, "x-correlation-id": `${KNOWN[0]}`, [`x-${KNOWN[0]}`]: "a" };
    const headers = { ...sent, ...ids, "user-agent": `curl ${KNOWN[0]}` };
    const hidden = async (body: object) => await (await gateway.post(body, { headers, path })).headers;
    const echoed = await hidden(minimalRequest("chat", { ...named, ...request }));
    assert.equal(echoed.get("x-correlation-id"), echoed.get("request-id"));
    await keep(
      "answers",
      await gateway.post(minimalRequest("chat"), { headers: { "x-api-key": PLACED.unknownKey } }),
    );
    await keep("answers", await gateway.get(`/nowhere?key=${PLACED.query}`, sent));
    for (const action of ["start", "restart"]) {
      const url = `http://gateway.test/v1/mcp/servers/docs/${action}`;
      await keep(`POST ${action}`, await gateway.fetch(new Request(url, { method: "POST", headers: admin })));
    }
    for (const { method, path } of ROUTES) {
      if (method !== "GET") continue;
      const filled = path.replace(/:(\w+)(\{.*?\}(?=\/|$))?/g, (_all, name) => PARAMETERS[name] ?? "");
      for (const headers of [admin, sent, { ...sent, accept: "text/plain" }, {}]) {
        await keep(`GET ${path}`, await gateway.get(`${filled}?key=${PLACED.query}`, headers));
      }
    }
    for (const path of await listPages(gateway, admin)) {
      await keep("GET /console", await gateway.get(path, admin));
    }
    await keep("GET /debug/errors", await gateway.get("/debug/errors/recent?count=100", admin));
  }, "debug");
  for (let turn = 0; turn < 100; turn++) await setImmediate();
  await gateway.stop();
  assert.ok(lines.length > 16);
  return surfaces.set("log", lines.join("\n"));
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

function assertWithout(surface: string, text: string, secrets: readonly string[]): void {
  const plain = text.toLowerCase();
  for (const secret of secrets) {
    const at = plain.indexOf(secret.toLowerCase());
    assert.equal(at, -1, `${surface} has ${secret}: ${text.slice(Math.max(0, at - 300), at + 100)}`);
  }
}

/** A folder for everything that a gateway writes, with an MCP server that fails and quotes its header. */
async function withFolders(
  name: string,
  run: (settings: Settings, folder: string) => Promise<void>,
): Promise<void> {
  const server = await serveMcp({
    intercept: ({ headers: { authorization } }, response) => {
      response.writeHead(500).end(`Bad ${authorization} ${KNOWN[0]}`);
      return true;
    },
  });
  const folder = join(root, name);
  mkdirSync(folder);
  const headers = { authorization: `Bearer ${PLACED.mcpHeader}` };
  const env = { TOKEN: PLACED.mcpEnv };
  const mcpServers = {
    docs: { type: "http", url: server.url, headers },
    idle: { command: "idle", args: ["--token", PLACED.mcpArgument], env },
  };
  const config = join(root, `${name}.json`);
  writeFileSync(config, JSON.stringify({ mcpServers }));
  const data = NO_SQLITE === false ? { DATA_DIR: join(folder, "data") } : {};
  const folders = { LOG_DIR: join(folder, "log"), STATE_DIR: join(folder, "state"), ...data };
  try {
    await run({ ...folders, MCP_CONFIG: config, LIMITS: { each: { usd_day: 1 } } }, folder);
  } finally {
    await server.close();
  }
}

test("No secret of requests, headers, settings, MCP servers or upstream errors is on any surface, or in any file", async () => {
  await withFolders("default", async (settings, folder) => {
    const surfaces = await collect(settings);
    const files = readFiles(folder);
    assert.match(files, /"correlation_id"/);
    surfaces.set("files", files).set("doctor", await runDoctor({ ...settings, DATA_DIR: undefined }));
    assert.ok(surfaces.size > ROUTES.filter(({ method }) => method === "GET").length);
    for (const [surface, text] of surfaces) {
      assertWithout(surface, text, [...Object.values(PLACED), ...KNOWN, PROMPT]);
    }
  });
});

/** Returns the report of `doctor`, with upstreams that fail and quote the secrets. */
async function runDoctor(extra: Settings): Promise<string> {
  const context = createGatewayContext(parseConfig({ settings: { ...settings, ...extra } }), {
    fetch: () => Promise.resolve(Response.json({ error: { message: quoted } }, { status: 401 })),
  });
  return writeReport(await examine(context, { models: ["big", "own/m"], url: "http://127.0.0.1:4000" }));
}

// DATA_DIR is not set: it stores answers as clients receive them, and this model answers with the keys
// (docs/durable.md).
test("With LOG_BODIES and RECORD_DIR, files contain prompts, but no credential that can be recognized", async () => {
  await withFolders("bodies", async (settings, folder) => {
    const replies = {
      ...REPLIES,
      pieces: { body: pieces(quoted) + writeDelta({}, { finish_reason: "stop" }) + DONE },
    };
    const recordings = join(folder, "recordings");
    await collect({ ...settings, LOG_BODIES: "on", RECORD_DIR: recordings }, replies);
    const files = readFiles(join(folder, "log")) + readFiles(recordings);
    assert.ok(files.includes(PROMPT));
    assert.match(readdirSync(recordings).join(), /\.json/);
    assertWithout("files", files, [...Object.values(PLACED), ...KNOWN.slice(0, 2)]);
  });
});
