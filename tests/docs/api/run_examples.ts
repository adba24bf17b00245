import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { createTestGateway, type TestGateway } from "../../kit/gateway.ts";
import { asJson, dig, type Json } from "../../kit/json.ts";
import { serveMcp, type TestMcpServer } from "../../kit/servers/mcp_server.ts";
import { ROOT } from "../pages.ts";
import { type Example, EXAMPLES } from "./examples.ts";

/** The keys that the examples send. */
export const KEYS = { client: "a-key-of-alice-1234", admin: "an-admin-key-1234" };

/** An example and its answer. */
export interface Answered {
  example: Example;
  status: number;
  /** Media type, without parameters. */
  media: string;
  /** The answer, if it is JSON. */
  json: unknown;
  /** The answer as the page shows it: ids, sizes and addresses are replaced, so that it is the same in each run. */
  shown: string;
}

const LISTED = {
  id: "openai/gpt-5",
  name: "GPT-5",
  created: 1_754_587_413,
  context_length: 400_000,
  pricing: { prompt: "0.00000125", completion: "0.00001" },
};

/** Runs all examples in their order, against one gateway with an MCP server, files and batches. */
export async function runExamples(): Promise<Answered[]> {
  const server = await serveMcp();
  const folder = mkdtempSync(join(tmpdir(), "api-"));
  const gateway = start(server, folder);
  try {
    const answered: Answered[] = [];
    let session = "";
    const field = (name: string) =>
      String(answered.map(({ json }) => dig(json, name)).findLast((value) => value !== undefined) ?? "");
    for (const example of EXAMPLES) {
      if (example.entered === true) await enterCode(gateway, field("user_code"));
      const variables = { SESSION: session, CODE: field("device_code"), TOKEN: field("access_token") };
      const request = toRequest(example, { answered, variables });
      let response = await gateway.fetch(request.clone());
      let text = await response.text();
      while (example.untilEnded === true && !text.includes('"processing_status":"ended"')) {
        await setImmediate();
        response = await gateway.fetch(request.clone());
        text = await response.text();
      }
      session = response.headers.get("mcp-session-id") ?? session;
      answered.push(toAnswered(example, response, { text, host: server.host }));
    }
    return answered;
  } finally {
    await gateway.stop();
    await server.close();
    rmSync(folder, { recursive: true });
  }
}

function start({ url, host }: TestMcpServer, folder: string): TestGateway {
  const path = join(folder, "mcp.json");
  writeFileSync(
    path,
    JSON.stringify({
      mcpServers: { docs: { type: "http", url, headers: { authorization: "Bearer a-token-1" } } },
    }),
  );
  return createTestGateway({
    settings: {
      GATEWAY_API_KEYS: `alice:${KEYS.client}`,
      GATEWAY_ADMIN_KEY: KEYS.admin,
      DATA_DIR: join(folder, "data"),
      MCP_CONFIG: path,
      TOOLS: "files-read",
      WORKSPACE_ROOT: `${ROOT}docs`,
      WEB_FETCH_ALLOW_HOSTS: host,
      KEY_STORE: "state_dir",
      STATE_DIR: join(folder, "state"),
      SIGN_IN: "on",
      LIMITS: { each: { usd_day: 5 } },
    },
    fetch: (input) =>
      Promise.resolve(
        String(input).endsWith("/models")
          ? Response.json({ data: [LISTED] })
          : new Response("{}", { status: String(input).endsWith("/key") ? 200 : 404 }),
      ),
  });
}

function toRequest(
  { endpoint, path, idOf, key, headers = {}, body, fields, file }: Example,
  { answered, variables }: { answered: readonly Answered[]; variables: Record<string, string> },
): Request {
  const [method = "", route = ""] = endpoint.split(" ");
  const source = answered.find(({ example }) => example.endpoint === idOf);
  const id = String(source === undefined ? "" : asJson(source.json).id);
  const url = `http://127.0.0.1:4000${path ?? route.replace("{id}", id)}`;
  const fill = (text: string) => text.replace(/\$([A-Z]+)/g, (_all, name) => variables[name] ?? "");
  const sent = new Headers();
  for (const [name, value] of Object.entries(headers)) sent.set(name, fill(value));
  if (key !== "none") sent.set("x-api-key", KEYS[key ?? "client"]);
  if (body !== undefined) sent.set("content-type", "application/json");
  const form = file && new FormData();
  if (file) form?.set("file", new File([file.content], file.name, { type: "text/plain" }));
  const encoded = fields &&
    new URLSearchParams(Object.entries(fields).map(([name, value]): [string, string] => [name, fill(value)]));
  return new Request(url, {
    method,
    headers: sent,
    body: form ?? encoded ?? (body === undefined ? null : JSON.stringify(body)),
  });
}

/** Submits the code on the page of a sign-in, and advances the clock until the client may poll again. */
async function enterCode(gateway: TestGateway, code: string): Promise<void> {
  const body = new URLSearchParams({ user_code: code, key: KEYS.client });
  await (await gateway.fetch(new Request("http://127.0.0.1:4000/oauth/device", { method: "POST", body })))
    .text();
  gateway.clock.advance(5000);
}

function toAnswered(
  example: Example,
  { status, headers }: Response,
  { text, host }: { text: string; host: string },
): Answered {
  const media = headers.get("content-type")?.split(";")[0] ?? "";
  const json: unknown = media === "application/json" ? JSON.parse(text) : undefined;
  const shown = json === undefined
    ? shorten(text)
    : JSON.stringify(withoutChance((example.show ?? ((answer) => answer))(json as Json)), null, 2);
  return {
    example,
    status,
    media,
    json,
    shown: shown.replaceAll(host, "127.0.0.1:3001").replace(/\b((?:req|msg|msgbatch|file)_)[\w-]+/g, "$1…")
      .replace(/^(gateway_data_dir_bytes) \d+$/m, `$1 ${FIXED.bytes}`),
  };
}

/** Omits the middle of a long text. */
function shorten(text: string): string {
  const lines = text.trimEnd().split("\n");
  return lines.length <= 16 ? text : [...lines.slice(0, 9), "…", ...lines.slice(-6)].join("\n");
}

/** Replaces values that depend on the process and the runtime. */
function withoutChance(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutChance);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      name in FIXED && member !== null ? FIXED[name] : withoutChance(member),
    ]),
  );
}

const FIXED: Json = {
  memory_usage: { rss_mb: 120, heap_mb: 40 },
  runtime: { name: "deno", version: "2.9.5" },
  pid: 4711,
  bytes: 102_400,
  stack_trace: "ApiError: …",
  device_code: "…",
  user_code: "BCDF-GHJK",
  verification_uri_complete: "http://127.0.0.1:4000/oauth/device?user_code=BCDF-GHJK",
  access_token: "…",
};
