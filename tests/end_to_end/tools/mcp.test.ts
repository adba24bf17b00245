import assert from "node:assert/strict";
import { after, test } from "node:test";
import { checkWritten, FORBIDDEN, layFiles, READING, WRITING } from "./files.ts";
import { answerSideRequest, startWeb, toWebCalls, toWebSettings } from "./network.ts";
import type { ExpectedCall } from "./run_calls.ts";
import { COMMANDS, whyNoSandbox } from "./shell.ts";
import { type ToolGateway, withToolGateway } from "./tool_gateway.ts";
import { readMessages } from "../../server/mcp_server/mcp_gateway.ts";
import type { Wire } from "../../kit/json.ts";
import { writePdf } from "../../kit/pdf.ts";

const web = await startWeb();
after(() => web.close());
const noSandbox = await whyNoSandbox();
if (noSandbox !== undefined) console.log(`Bash over MCP: skipped: ${noSandbox}`);

const ALL = "files-read,files-write,shell,network";

/** A session of an MCP client. */
interface Session {
  ask(method: string, params?: object): Promise<Wire>;
  /** Calls a tool, and checks its result. */
  check(call: ExpectedCall): Promise<void>;
}

let ids = 0;

async function connect(gateway: ToolGateway): Promise<Session> {
  const headers: Record<string, string> = { accept: "application/json, text/event-stream" };
  const post = (message: object) =>
    gateway.send({ max_tokens: undefined, messages: undefined, jsonrpc: "2.0", ...message }, {
      path: "/mcp",
      headers,
    });
  const clientInfo = { name: "test", version: "1" };
  const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo };
  const response = await post({ id: ++ids, method: "initialize", params });
  await response.text();
  headers["mcp-session-id"] = response.headers.get("mcp-session-id") ?? "";
  const ask: Session["ask"] = async (method, params = {}) => {
    const [{ error, result }] = await readMessages(await post({ id: ++ids, method, params }));
    assert.equal(error, undefined);
    return result;
  };
  return {
    ask,
    async check({ tool, input, matches, fails = false }) {
      const { content, isError = false } = await ask("tools/call", { name: tool, arguments: input });
      const texts = content.map(({ type, text }: { type: string; text?: string }) => text ?? `[${type}]`);
      assert.equal(isError, fails, `${tool}: ${texts}`);
      if (content[0].type === "text") assert.match(texts.join("\n"), matches, tool);
    },
  };
}

const READS = { readOnlyHint: true, openWorldHint: false };
const READS_THE_WEB = { readOnlyHint: true, openWorldHint: true };
const EDITS = { readOnlyHint: false, openWorldHint: false, destructiveHint: true, idempotentHint: false };

/** The annotations of all tools, with the default settings. */
const ANNOTATIONS: Record<string, object> = {
  Write: { ...EDITS, idempotentHint: true },
  Read: READS,
  Edit: EDITS,
  MultiEdit: EDITS,
  Glob: READS,
  Grep: READS,
  LS: READS,
  Bash: EDITS,
  WebSearch: READS_THE_WEB,
  WebFetch: READS_THE_WEB,
  NotebookRead: READS,
  NotebookEdit: EDITS,
  TodoRead: READS,
  TodoWrite: EDITS,
};

test("POST /mcp lists the enabled tools but Task, with their annotations", () =>
  withToolGateway({ TOOLS: ALL }, async (gateway) => {
    const { tools } = await (await connect(gateway)).ask("tools/list");
    const listed = tools.map(({ name, annotations }: Wire) => [name, annotations]);
    assert.deepEqual(Object.fromEntries(listed), ANNOTATIONS);
  }));

for (const settings of [{ SHELL_NETWORK: "on" }, { SHELL_SANDBOX: "off" }]) {
  test(`POST /mcp lists Bash as open to the world with ${JSON.stringify(settings)}`, () =>
    withToolGateway({ TOOLS: "shell", ...settings }, async (gateway) => {
      const { tools } = await (await connect(gateway)).ask("tools/list");
      assert.deepEqual(tools.map(({ name }: Wire) => name), ["Bash", "TodoRead", "TodoWrite"]);
      assert.equal(tools[0].annotations.openWorldHint, true);
    }));
}

test("POST /mcp runs each of the fourteen tools under the same policy", () =>
  withToolGateway({ TOOLS: ALL, TOOL_RATE: 0, ...toWebSettings(web, "searxng") }, async (gateway) => {
    layFiles(gateway);
    gateway.model.choose(answerSideRequest);
    const session = await connect(gateway);
    const todos = [{ content: "Fill the comb", status: "in_progress" }];
    const lists: ExpectedCall[] = [
      { tool: "TodoWrite", input: { todos }, matches: /Fill the comb/ },
      { tool: "TodoRead", input: {}, matches: /Fill the comb/ },
    ];
    const commands = noSandbox === undefined ? COMMANDS : [];
    for (const call of [...READING, ...lists, ...commands, ...WRITING, ...FORBIDDEN, ...toWebCalls(web)]) {
      await session.check(call);
    }
    checkWritten(gateway);
    const { tool_execution } = Object(await gateway.get("/tool-metrics"));
    assert.ok(tool_execution.metrics.total_executions > 20);
  }));

test("POST /mcp binds what was read, and the to-do list, to the session", () =>
  withToolGateway({ TOOLS: "files-read,files-write" }, async (gateway) => {
    gateway.put({ "a.txt": "one" });
    const [one, two] = [await connect(gateway), await connect(gateway)];
    const edit = { file_path: "a.txt", old_string: "one", new_string: "two" };
    await one.check({ tool: "Read", input: { file_path: "a.txt" }, matches: /one/ });
    await one.check({ tool: "TodoWrite", input: { action: "add", title: "Sweep" }, matches: /Sweep/ });
    await two.check({ tool: "Edit", input: edit, matches: /read it first/, fails: true });
    await two.check({ tool: "TodoRead", input: {}, matches: /the list is empty/ });
    await one.check({ tool: "Edit", input: edit, matches: /./ });
    assert.equal(gateway.read("a.txt"), "two");
  }));

test("POST /mcp returns images and PDFs as content of MCP", () =>
  withToolGateway({ TOOLS: "files-read" }, async (gateway) => {
    layFiles(gateway);
    const pdf = writePdf(["Hum"]);
    gateway.put({ "papers/hum 1.pdf": pdf });
    const { ask } = await connect(gateway);
    const read = async (file_path: string) =>
      (await ask("tools/call", { name: "Read", arguments: { file_path } })).content[0];
    const { resource } = await read("papers/hum 1.pdf");
    assert.deepEqual([resource.uri, resource.mimeType], [
      "workspace:///papers/hum%201.pdf",
      "application/pdf",
    ]);
    assert.equal(atob(resource.blob), String.fromCharCode(...pdf));
    const image = await read("bee.png");
    assert.deepEqual([image.type, image.mimeType], ["image", "image/png"]);
  }));
