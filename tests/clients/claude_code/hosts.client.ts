import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe } from "node:test";
import { NO_CLAUDE_CODE, parseResult, runClaudeCode } from "./claude_code.ts";
import { checkResult, testWithFolders, TOOLS } from "./testbed.ts";
import { type Gateway, startGateway } from "../kit/gateway.ts";
import { COMPATIBLE } from "../hosts/compatible.ts";
import { DEEPSEEK } from "../hosts/deepseek.ts";
import { type Host, type HostApi, type HostTurn, startHost } from "../hosts/host.ts";
import { LLAMACPP } from "../hosts/llamacpp.ts";
import { OPENAI } from "../hosts/openai.ts";
import { VLLM } from "../hosts/vllm.ts";
import { PNG } from "../kit/scenarios.ts";

/** A host, its settings in the gateway, and the adjustments that the gateway learns from its refusals. */
interface Case {
  name: string;
  model: string;
  upstream: object;
  /** A host of any API. */
  start(turns: readonly HostTurn[]): Promise<Host<unknown>>;
  /** Errors of the host, each once, until the gateway has learned the adjustment. */
  learned?: RegExp[];
  /** Checks the last request that the host received. */
  check?(requests: string): void;
}

function start<Request>(api: HostApi<Request>): Case["start"] {
  return (turns) => startHost(api, turns);
}

const CASES: Case[] = [
  {
    name: "llama.cpp with a strict template",
    model: "llamacpp/qwen3.8-27b",
    upstream: { preset: "llamacpp", dialect: "openai" },
    start: start(LLAMACPP),
    learned: [/^image input is not supported/],
    check: (requests) => assert.match(requests, /<system-reminder>/),
  },
  {
    name: "vLLM with a small window",
    model: "vllm/qwen3.8-27b",
    upstream: { preset: "vllm", dialect: "openai" },
    start: start(VLLM),
    learned: [/is not a multimodal model/],
  },
  {
    name: "DeepSeek's own API",
    model: "deepseek/deepseek-v4",
    upstream: { preset: "deepseek", dialect: "openai" },
    start: start(DEEPSEEK),
    check: (requests) => assert.match(requests, /Image omitted/),
  },
  {
    name: "gpt-5.6 of OpenAI",
    model: "openai/gpt-5.6-sol",
    upstream: { preset: "openai" },
    start: start(OPENAI),
    check: (requests) => assert.match(requests, /"encrypted_content":"I look first."/),
  },
  {
    name: "an Anthropic-compatible host with wild events",
    model: "compatible/glm-5",
    upstream: { preset: "other", dialect: "anthropic" },
    start: start(COMPATIBLE),
    learned: [/^context_management: Extra inputs/, /role: Input should be 'user' or 'assistant'/],
  },
];

describe("Claude Code edits a file with", { skip: NO_CLAUDE_CODE }, () => {
  const hosts = new Map<string, Host<unknown>>();
  const turns = new Map<string, HostTurn[]>(CASES.map(({ name }) => [name, []]));
  let gateway: Gateway | undefined;
  before(async () => {
    const upstreams: Record<string, object> = {};
    for (const { name, model, upstream, start } of CASES) {
      const host = await start(turns.get(name) ?? []);
      hosts.set(name, host);
      upstreams[model.split("/")[0] ?? ""] = { url: host.url, key: "key-of-the-host", ...upstream };
    }
    gateway = await startGateway({
      upstream: "http://127.0.0.1:9/api/v1",
      settings: { UPSTREAMS: JSON.stringify(upstreams) },
    });
  });
  after(async () => {
    await gateway?.stop();
    for (const host of hosts.values()) await host.close();
  });

  for (const { name, model, learned = [], check } of CASES) {
    testWithFolders(name, async (folders) => {
      const [file_path, image] = [join(folders.work, "greeting.txt"), join(folders.work, "dot.png")];
      await writeFile(file_path, "Hello world 🙂\nsecond line\n");
      await writeFile(image, Buffer.from(PNG, "base64"));
      const edit = { file_path, old_string: "Hello world 🙂", new_string: "Grüezi, 世界 🙂" };
      turns.get(name)?.push(
        {
          thought: "I look first.",
          text: "I look.",
          calls: [
            { id: "call_aB3dE5gH7", name: "Read", input: { file_path } },
            { id: "call_bB3dE5gH7", name: "Read", input: { file_path: image } },
          ],
        },
        {
          thought: "I edit now.",
          text: "I edit.",
          calls: [{ id: "call_cB3dE5gH7", name: "Edit", input: edit }],
        },
        { thought: "It is done.", text: "Done." },
      );
      const args = ["-p", "Do as you are told", "--output-format", "json", "--model", model, ...TOOLS];
      const run = await runClaudeCode({ url: gateway?.url ?? "", folders, args });
      const host = hosts.get(name);
      assert.equal(host?.refusals.length, learned.length, host?.refusals.join("\n"));
      learned.forEach((words, at) => assert.match(host?.refusals[at] ?? "", words));
      checkResult(parseResult(run), "Done.");
      assert.equal(await readFile(file_path, "utf8"), "Grüezi, 世界 🙂\nsecond line\n");
      assert.equal(host?.requests.length, 3, "no request was repeated");
      check?.(JSON.stringify(host?.requests));
    });
  }
});
