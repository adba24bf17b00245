import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path/posix";
import { test } from "node:test";
import * as v from "valibot";
import { LIMIT_NAMES } from "../../lib/config/limits.ts";
import { isSettingName, SECRET_SETTINGS, SETTING_NAMES, SETTINGS } from "../../lib/config/settings.ts";
import { PRESETS } from "../../lib/config/presets.ts";
import { createGateway } from "../../mod.ts";
import { createTools } from "../../tools/mod.ts";
import { createCallRunner } from "../../tools/toolbox/call_runner.ts";
import { FakeClock } from "../kit/clock.ts";
import { readPage, readPages, ROOT } from "./pages.ts";

const pages = readPages();
/** The pages about the current version. CHANGELOG.md also describes earlier ones. */
const current = pages.filter(({ path }) => path !== "CHANGELOG.md");

/** Variables of clients, runtimes and tests, which are not settings. */
const OTHER_VARIABLES = new Set([
  // Settings of claude-code-router.
  "API_TIMEOUT_MS",
  "PROXY_URL",
  "ANTHROPIC_API_BASE",
  "ANTHROPIC_API_KEY",
  "ANTHROPIC_AUTH_TOKEN",
  "ANTHROPIC_BASE_URL",
  "ANTHROPIC_DEFAULT_FABLE_MODEL",
  "ANTHROPIC_DEFAULT_HAIKU_MODEL",
  "ANTHROPIC_DEFAULT_OPUS_MODEL",
  "ANTHROPIC_DEFAULT_SONNET_MODEL",
  "BUN_CONFIG_MAX_HTTP_REQUESTS",
  "CLAUDE_CODE_AUTO_COMPACT_WINDOW",
  "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC",
  "CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY",
  "CLAUDE_CODE_MAX_CONTEXT_TOKENS",
  "CLAUDE_CODE_MAX_OUTPUT_TOKENS",
  "CLAUDE_CODE_SUBAGENT_MODEL",
  "CLAUDE_CODE_USE_BEDROCK",
  "CONFIG_FILE",
  "NODE_OPTIONS",
  "NODE_V8_COVERAGE",
  "OTEL_DENO",
  "OTEL_EXPORTER_OTLP_ENDPOINT",
  "RESTATE_SERVER",
  "RETRY_BLOCK_MS",
  "UPDATE_FIXTURES",
]);

/** Flags of the program that are not settings, and those of the runtimes. */
const OTHER_FLAGS = new Set([
  ...[
    "--config",
    "--fixture",
    "--from-ccr",
    "--help",
    "--check",
    "--mcp",
    "--settings",
    "--target",
    "--shell",
    "--version",
  ],
  "--target", // of the benchmark
  ...[
    "--allow-all",
    "--allow-env",
    "--allow-net",
    "--allow-read",
    "--allow-run",
    "--allow-write",
    "--bun",
    "--enable-source-maps",
    "--import",
    "--omit",
    "--unstable-no-legacy-abort",
  ],
]);

test("README.md has at most 12 kB", () => {
  const { length } = readFileSync(`${ROOT}README.md`);
  assert.ok(length <= 12_000, `it has ${length} bytes`);
});

test("every setting that the documentation names exists", () => {
  for (const { path, code } of spans()) {
    for (const braced of code.matchAll(/[A-Z][A-Z0-9]*(?:_(?:[A-Z0-9]+|\{[A-Z,]+\}))+/g)) {
      for (const name of expand(braced[0])) {
        assert.ok(isSetting(name) || OTHER_VARIABLES.has(name), `${path} names ${name}`);
      }
    }
  }
});

test("every value of a setting in the documentation is valid", () => {
  for (const { path, code } of spans()) {
    const [, name = "", value] = /^([A-Z][A-Z_]+)=(\S+)$/.exec(code) ?? [];
    const setting = SETTING_NAMES.find((known) => known === name);
    if (setting === undefined) continue;
    assert.ok(v.safeParse(SETTINGS[setting].schema(), value).success, `${path} has ${code}`);
  }
});

test("every flag that the documentation names exists", () => {
  const flags = new Set<string>(SETTING_NAMES.map((name) => SETTINGS[name].flag));
  for (const { path, code } of spans()) {
    for (const [flag] of code.matchAll(/(?<![\w-])--[a-z][a-z-]*/g)) {
      assert.ok(flags.has(flag) || OTHER_FLAGS.has(flag), `${path} names ${flag}`);
    }
  }
});

test("every endpoint that the documentation names exists, and docs/clients.md names all", async () => {
  const gateway = createGateway({ settings: { LOG_LEVEL: "off" }, fetch: answerNothing });
  const found = spans().flatMap(({ path, code }) => {
    const [, method = "", route = ""] = /^(GET|HEAD|POST|DELETE) (\/\S*)$/.exec(code) ?? [];
    return method === "" ? [] : [{ path, method, route }];
  });
  assert.notEqual(found.length, 0);
  for (const { path, method, route } of found) {
    const id = route.startsWith("/v1/models") ? "demo%2Fecho" : "some-id";
    const url = `http://gateway.test${route.replace("{id}", id)}`;
    const body = method === "POST" ? "{}" : null;
    const headers = { "content-type": "application/json" };
    const answer = await (await gateway.fetch(new Request(url, { method, headers, body }))).text();
    assert.doesNotMatch(answer, /no such endpoint/, `${path} names ${method} ${route}`);
  }
  const root = await (await gateway.fetch(new Request("http://gateway.test/"))).json();
  const documented = readPage("docs/clients.md").spans;
  assert.deepEqual(root.endpoints.filter((endpoint: string) => !documented.includes(endpoint)), []);
});

test("the documentation names every header of the gateway, and no other", () => {
  const pattern = /\bx-(?:gateway|token)-[a-z]+(?:-[a-z]+)*/g;
  const sources = list("lib").filter((path) => path.endsWith(".ts"));
  const known = new Set(sources.flatMap((path) => read(path).match(pattern) ?? []));
  const named = new Set(current.flatMap(({ path }) => read(path).match(pattern) ?? []));
  assert.deepEqual([...named].sort(), [...known].sort());
});

test("every file that the documentation names exists", () => {
  for (const { path, code } of spans()) {
    if (!/^(lib|tools|tests|docs|\.ci)\/[\w./-]*$/.test(code)) continue;
    assert.ok(existsSync(ROOT + code), `${path} names ${code}`);
  }
});

test("every script that the documentation names exists", () => {
  const { scripts } = JSON.parse(read("package.json"));
  for (const { path, code } of spans()) {
    const [, name] = /^npm (?:run )?(start|test|(?<=run )[\w:]+)$/.exec(code) ?? [];
    assert.ok(name === undefined || name in scripts, `${path} names ${code}`);
  }
});

test("every link within the documentation has a target", () => {
  for (const { path, links, anchors } of pages) {
    for (const link of links.filter((target) => !/^[a-z]+:/.test(target))) {
      const [file = "", anchor] = link.split("#");
      const target = file === "" ? path : join(dirname(path), file);
      assert.ok(existsSync(ROOT + target), `${path} links to ${link}`);
      if (anchor === undefined) continue;
      const there = target === path ? anchors : readPage(target).anchors;
      assert.ok(there.has(anchor), `${path} links to ${link}`);
    }
  }
});

test("README.md links every page of docs/", () => {
  const { links } = readPage("README.md");
  const linked = links.map((link) => link.split("#")[0]);
  for (const { path } of pages) if (path.startsWith("docs/")) assert.ok(linked.includes(path), path);
});

test("docs/dependencies.md gives a reason for every dependency", () => {
  const { dependencies } = JSON.parse(read("package.json"));
  const [used = ""] = read("docs/dependencies.md").split("## Not used");
  const rows = Array.from(used.matchAll(/^\| `([^`]+)`/gm), ([, name]) => name);
  assert.deepEqual(rows.sort(), Object.keys(dependencies).sort());
});

test("docs/models.md names every preset", () => {
  const { spans } = readPage("docs/models.md");
  for (const preset of [...[...PRESETS], "anthropic"]) assert.ok(spans.includes(preset), preset);
});

test("docs/limits.md names every limit", () => {
  const { spans } = readPage("docs/limits.md");
  for (const limit of LIMIT_NAMES) assert.ok(spans.includes(limit), limit);
});

test("docs/tools.md names every tool in the row of its group", async () => {
  const clock = new FakeClock();
  const { tools } = await createTools({
    root: `${ROOT}/docs`,
    groups: new Set(["files-read", "files-write", "shell", "network"]),
    shell: { sandbox: "required", network: false },
    web: { allowHosts: new Set(), search: { engine: "openrouter" } },
    clock,
    runner: createCallRunner({
      limits: { timeoutMs: 1000, concurrency: 1, callsPerMinute: 0 },
      clock,
      audit: () => {},
    }),
    warn: () => {},
  });
  const rows = read("docs/tools.md").split("\n").filter((line) => line.startsWith("| "));
  for (const { name, group } of tools) {
    const row = rows.find((line) => line.startsWith(group === undefined ? "| with any" : `| \`${group}\``));
    assert.ok(row?.includes(`\`${name}\``), `${name} of ${group}`);
  }
});

/** Returns the inline code of all current pages. */
function spans(): { path: string; code: string }[] {
  return current.flatMap(({ path, spans }) => spans.map((code) => ({ path, code })));
}

/** `A_{B,C}` -> `A_B`, `A_C`. */
function expand(braced: string): string[] {
  const [whole = "", words = ""] = /\{([A-Z,]+)\}/.exec(braced) ?? [];
  return whole === "" ? [braced] : words.split(",").map((word) => braced.replace(whole, word));
}

function isSetting(name: string): boolean {
  return isSettingName(name) || SECRET_SETTINGS.some((secret) => `${secret}_FILE` === name);
}

function answerNothing(): Promise<Response> {
  return Promise.resolve(new Response(null, { status: 404 }));
}

function list(folder: string): string[] {
  const entries = readdirSync(ROOT + folder, { withFileTypes: true });
  return entries.flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? list(path) : [path];
  });
}

function read(path: string): string {
  return readFileSync(ROOT + path, "utf8");
}
