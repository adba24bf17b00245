import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import * as v from "valibot";
import { COMMANDS } from "../../lib/cli/commands.ts";
import { readFlags } from "../../lib/cli/flags.ts";
import { parseConfigFile } from "../../lib/config/sources/config_file.ts";
import { parseConfig } from "../../lib/config/parse.ts";
import { SETTING_NAMES, type SettingName, SETTINGS } from "../../lib/config/settings.ts";
import { createGateway } from "../../mod.ts";
import { dig, isJson } from "../kit/json.ts";
import { serveMcp, type TestMcpServer } from "../kit/servers/mcp_server.ts";
import { type CodeBlock, type Page, readPages, ROOT } from "./pages.ts";
import { type Command, readCommands } from "./shell.ts";

const pages = readPages();
const packageJson = readJson("package.json");

/** The languages of blocks that are checked. A block in any other is a mistake. */
const LANGUAGES = ["json", "jsonc", "sh", "text", "ts"];

test("every block of code names a language that is checked", () => {
  for (const { language, at } of pages.flatMap(({ blocks }) => blocks)) {
    assert.ok(LANGUAGES.includes(language), `${at}: "${language}"`);
  }
});

for (const { text, setting, at } of blocksOf("json")) {
  test(`${at} is ${setting === undefined ? "JSON" : `a value of ${setting}`}`, () => {
    const json = withSecrets(text);
    JSON.parse(json);
    if (setting === undefined) return;
    const { issues = [] } = v.safeParse(SETTINGS[toSettingName(setting)].schema(), json);
    assert.deepEqual(issues.map(({ message }) => message), []);
  });
}

for (const { text, at } of blocksOf("jsonc")) {
  test(`${at} is a configuration file`, () => {
    parseConfig({ file: parseConfigFile(withSecrets(text), at, () => undefined) });
  });
}

for (const page of pages) {
  // tests/docs/api.test.ts sends the requests of its commands.
  if (page.path === "docs/api.md") continue;
  if (!page.blocks.some(({ language }) => language === "sh")) continue;
  test(`the commands in ${page.path} work`, async () => {
    await checkCommands(page);
  });
}

const TSC = `${ROOT}node_modules/.bin/tsc`;

test("the blocks of TypeScript compile", {
  skip: existsSync(TSC) ? false : "no tsc",
  timeout: 60_000,
}, () => {
  const folder = mkdtempSync(`${ROOT}tests/docs/.blocks-`);
  try {
    const blocks = blocksOf("ts");
    for (const [at, { text }] of blocks.entries()) writeFileSync(`${folder}/block_${at}.ts`, text);
    writeFileSync(`${folder}/clients.d.ts`, toDeclarations(blocks));
    writeFileSync(`${folder}/tsconfig.json`, JSON.stringify(COMPILER));
    const { status, stdout, stderr } = spawnSync(TSC, ["-p", folder], { encoding: "utf8" });
    const names = blocks.map(({ at }, nth) => `block_${nth}.ts is ${at}`).join("\n");
    assert.equal(status, 0, `${stdout}${stderr}\n${names}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

const COMPILER = {
  extends: "../../../tsconfig.json",
  compilerOptions: {
    noUnusedLocals: false,
    paths: { [String(packageJson.name)]: ["../../../mod.ts"] },
  },
  include: ["*.ts"],
  exclude: [],
};

/** Declares the packages of clients, which are not dependencies of the project: other tests install and run them. */
function toDeclarations(blocks: readonly CodeBlock[]): string {
  const clients = Object.keys(Object(readJson("tests/clients/package.json").dependencies));
  const imported = blocks.flatMap(({ text }) =>
    Array.from(text.matchAll(/\bfrom "([^"]+)"/g), ([, name = ""]) => name)
  );
  const isClient = (name: string) => clients.some((one) => name === one || name.startsWith(`${one}/`));
  const known = new Set(imported.filter(isClient));
  return [...known].map((name) => `declare module "${name}";\n`).join("");
}

/** Simulates the commands of a page, in order: each request goes to the gateway that was started last. */
async function checkCommands(page: Page): Promise<void> {
  const servers: TestMcpServer[] = [];
  try {
    await runCommands(page, servers);
  } finally {
    for (const server of servers) await server.close();
  }
}

/** `servers` are the MCP servers that the commands have started. */
async function runCommands({ blocks }: Page, servers: TestMcpServer[]): Promise<void> {
  let gateway = start({});
  for (const { text, at } of blocks.filter(({ language }) => language === "sh")) {
    for (const command of readCommands(text)) {
      const shown = `${at}: ${command.words.join(" ")}`;
      const [program = ""] = command.words;
      if (startsMcpServer(command)) servers.push(await serveMcp());
      else if (program === "curl") await checkRequest(gateway, withMcpHost(command, servers.at(-1)), shown);
      else if (runsCommand(command)) continue;
      else if (startsGateway(command)) {
        gateway = start(toSettings(withMcpHost(command, servers.at(-1)), shown));
      } else if (program === "npm") checkScript(command, shown);
      else if (program === "node" || program === "npx") checkTestFile(command, shown);
      else assert.ok(OTHER_COMMANDS.test(command.words.join(" ")), shown);
    }
  }
}

/** Address of the MCP server that `npx -y @modelcontextprotocol/server-everything streamableHttp` starts. */
const MCP_HOST = "127.0.0.1:3001";

function startsMcpServer({ words }: Command): boolean {
  return words.join(" ") === "npx -y @modelcontextprotocol/server-everything streamableHttp";
}

/** Replaces the address of a started MCP server by that of the test's. */
function withMcpHost({ variables, words }: Command, server: TestMcpServer | undefined): Command {
  const replace = (text: string) => server === undefined ? text : text.replaceAll(MCP_HOST, server.host);
  return {
    variables: Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, replace(value)])),
    words: words.map(replace),
  };
}

/** Commands of clients and of the system, of which only names are checked. */
const OTHER_COMMANDS =
  /^(export ANTHROPIC_(BASE_URL|AUTH_TOKEN)=\S+|claude --model \S+|claude mcp add .+|bun install|printf %s \$KEY|sha256sum|\.ci\/run)$/;

/** Creates a gateway with the settings of a command; of its upstreams only a local one answers. */
function start(settings: Record<string, string>) {
  const choices = [{ message: { role: "assistant", content: "Hello" }, finish_reason: "stop" }];
  const fetch = (input: string | URL | Request) =>
    Promise.resolve(
      new Request(input).url === "http://127.0.0.1:11434/v1/chat/completions"
        ? Response.json({ choices })
        : new Response(null, { status: 404 }),
    );
  return createGateway({ settings: { ...settings, LOG_LEVEL: "off" }, fetch });
}

/** True for a command such as `npm start -- init`, which starts no gateway for requests. */
function runsCommand({ words }: Command): boolean {
  return words.some((word, at) => PROGRAM.test(word) && COMMANDS.has(words[at + 1] ?? ""));
}

/** Words before the arguments of the program. */
const PROGRAM = /^(mod\.ts|dist\/mod\.js|--|openrouter-anthropic-server)$/;

function startsGateway({ words }: Command): boolean {
  return words.some((word) => /^(mod\.ts|dist\/mod\.js|lib\/worker\.ts)$/.test(word)) ||
    words.slice(0, 2).join(" ") === "npm start";
}

/** Returns the settings by flags and by variables, as the program reads them. */
function toSettings({ variables, words }: Command, shown: string): Record<string, string> {
  for (const name of Object.keys(variables)) toSettingName(name);
  checkProfile(words);
  const program = words.findIndex((word) => PROGRAM.test(word));
  const flags = readFlags(program < 0 ? [] : words.slice(program + 1).map(withSecrets));
  assert.deepEqual(flags.mistakes, [], shown);
  // Other users of a machine can read the flags of a running program.
  const secrets = SETTING_NAMES.filter((name) => SETTINGS[name].secret && flags.values[name] !== undefined);
  assert.deepEqual(secrets, [], `${shown}: give secrets in the environment`);
  const given = Object.entries(variables).map(([name, value]) => [
    name,
    name === "STATE_DIR" ? createStateFolder() : withSecrets(value),
  ]);
  return { ...Object.fromEntries(given), ...flags.values };
}

/** Creates a folder in place of one in the documentation. It is removed after the tests. */
function createStateFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "docs-state-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Checks that deno.json has a profile of permissions. */
function checkProfile(words: readonly string[]): void {
  const [, profile] = /^-P=(.+)$/.exec(words.find((word) => word.startsWith("-P=")) ?? "") ?? [];
  if (profile !== undefined) assert.ok(isJson(dig(readJson("deno.json"), "permissions", profile)), profile);
}

async function checkRequest(
  gateway: ReturnType<typeof createGateway>,
  { words }: Command,
  shown: string,
): Promise<void> {
  const url = words.find((word) => word.startsWith("http://"));
  assert.ok(url !== undefined, shown);
  const headers = new Headers();
  for (const [at, word] of words.entries()) {
    const [, name = "", value = ""] = word === "-H" ? /^([\w-]+): (.*)$/.exec(words[at + 1] ?? "") ?? [] : [];
    if (word === "-H") headers.set(name, value);
  }
  const body = words.includes("-d") ? words[words.indexOf("-d") + 1] ?? "" : undefined;
  const method = words.includes("-X")
    ? words[words.indexOf("-X") + 1] ?? ""
    : body === undefined
    ? "GET"
    : "POST";
  const init = { method, headers, ...(body !== undefined && { body }) };
  const response = await gateway.fetch(new Request(url, init));
  const answer = await response.text();
  assert.equal(response.status, 200, `${shown}\n${answer}`);
  assert.doesNotMatch(answer, /^event: error$|"is_error":true/m, shown);
  assert.equal(response.headers.get("x-gateway-loss"), null, shown);
}

function checkScript({ words: [, action = "", name = ""] }: Command, shown: string): void {
  const script = action === "run" ? name : action;
  const known = script === "ci" || dig(packageJson, "scripts", script) !== undefined;
  assert.ok(known, `${shown}: package.json has no script "${script}"`);
}

/** Checks that a file that a command runs exists. `FILE` stands for any file. */
function checkTestFile({ words }: Command, shown: string): void {
  const path = words.at(-1) ?? "";
  assert.ok(/^(\.\/)?FILE$/.test(path) || existsSync(ROOT + path), `${shown}: there is no ${path}`);
  const at = words.indexOf("--test-name-pattern");
  const [, fixture] = at < 0 ? [] : /^fixture (\w+)\$$/.exec(words[at + 1] ?? "") ?? [];
  if (at >= 0) {
    assert.ok(existsSync(`${ROOT}tests/fixtures/${fixture}`), `${shown}: there is no such fixture`);
  }
}

/** Replaces placeholders of the documentation: "…" by a key that is used once, and the working directory. */
function withSecrets(text: string): string {
  return text.replaceAll("sha256:…", `sha256:${"0a".repeat(32)}`)
    .replaceAll("…", () => `0123456789abcdef${keys++}`)
    .replaceAll("$PWD", ROOT.slice(0, -1));
}

let keys = 0;

function toSettingName(name: string): SettingName {
  const known = SETTING_NAMES.find((setting) => setting === name);
  assert.ok(known !== undefined, `there is no setting ${name}`);
  return known;
}

function blocksOf(language: string): CodeBlock[] {
  return pages.flatMap(({ blocks }) => blocks.filter((block) => block.language === language));
}

function readJson(path: string) {
  const value: unknown = JSON.parse(readFileSync(ROOT + path, "utf8"));
  assert.ok(isJson(value), `${path} is not a JSON object`);
  return value;
}
