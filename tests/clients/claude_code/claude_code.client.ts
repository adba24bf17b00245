import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe } from "node:test";
import { z } from "zod";
import { NO_CLAUDE_CODE, parseResult, runClaudeCode } from "./claude_code.ts";
import { checkResult, createPrompt, testWithFolders, TOOLS, WAYS } from "./testbed.ts";
import { greeting, PIECES, TEXT } from "../kit/scenarios.ts";
import { CLIENT_KEY, ROUTES, setUpTestbed } from "../kit/testbed.ts";
import { call, refuse, reply, tooLong, tooMany } from "../../kit/model/turns.ts";

/** Claude Code's own aliases, and the models that the gateway must choose for them. */
const ALIASES = { sonnet: "anthropic/claude-sonnet-5.5", haiku: "anthropic/claude-haiku-5.5" };

const TASK = "Do as you are told";

describe("Claude Code", { skip: NO_CLAUDE_CODE }, () => {
  const testbed = setUpTestbed();

  for (const route of ROUTES) {
    const { args, model } = WAYS[route.name];
    const [one, two] = route.ids;

    const prompt = createPrompt(testbed, route);

    describe(route.name, () => {
      testWithFolders("answers a prompt", async (folders) => {
        testbed.upstream.script(greeting);
        const { run, result } = await prompt(folders, TASK);
        assert.equal(run.code, 0);
        checkResult(result, TEXT);
        assert.equal(result.usage.input_tokens, 200);
        assert.equal(result.usage.cache_read_input_tokens, 1000);
        assert.equal(result.usage.output_tokens, 42);
        assert.equal(testbed.sent().model, model);
        assert.match(testbed.sent().user, /Do as you are told/);
        for (const name of ["Bash", "Edit", "Read", "Write"]) {
          assert.ok(testbed.sent().tools.includes(name), name);
        }
        assert.match(testbed.sent().system, /Claude Code/);
        assert.ok(!JSON.stringify(testbed.upstream.received[0]?.headers).includes(CLIENT_KEY));
        // It changes with each conversation, and so would spoil the cache of a host that receives it as text.
        if (route.name === "translated") {
          assert.doesNotMatch(testbed.sent().system, /x-anthropic-billing-header/);
        }
      });

      testWithFolders("reads a file, thinks, and edits it on disk", async (folders) => {
        const file_path = join(folders.work, "greeting.txt");
        await writeFile(file_path, "Hello world 🙂\nsecond line\n");
        const edit = { file_path, old_string: "Hello world 🙂", new_string: "Grüezi, 世界 🙂" };
        const thinking = { pieces: ["I must read", " it first."], signature: "EokHCmUIDxgCKkBX0fNi" };
        testbed.upstream.script(
          reply({ thinking, text: ["I look."], tools: [call(one, "Read", { file_path })] }),
          reply({ tools: [call(two, "Edit", edit)] }),
          reply({ text: ["Done."] }),
        );
        checkResult((await prompt(folders, TASK, ...TOOLS)).result, "Done.");
        assert.equal(await readFile(file_path, "utf8"), "Grüezi, 世界 🙂\nsecond line\n");
        assert.equal(testbed.sent(1).thinking, "I must read it first.");
        assert.deepEqual(testbed.sent(1).results.map(({ id }) => id), [one]);
        assert.match(testbed.sent(1).results[0]?.text ?? "", /Hello world 🙂[^]*second line/);
        assert.deepEqual(testbed.sent(2).calls.map(({ id }) => id), [one, two]);
        assert.deepEqual(testbed.sent(2).calls.map(({ name }) => name), ["Read", "Edit"]);
        assert.deepEqual(testbed.sent(2).calls[1]?.input, { replace_all: false, ...edit });
        assert.match(testbed.sent(2).results[1]?.text ?? "", /updated successfully/);
      });

      testWithFolders("runs two tools at once", async (folders) => {
        const file_path = join(folders.work, "made.txt");
        testbed.upstream.script(
          reply({
            tools: [
              call(one, "Write", { file_path, content: "made by a tool\n" }),
              call(two, "Bash", { command: "echo $((6 * 7)) bottles", description: "Count" }),
            ],
          }),
          reply({ text: ["Both done."] }),
        );
        checkResult((await prompt(folders, TASK, ...TOOLS)).result, "Both done.");
        assert.equal(await readFile(file_path, "utf8"), "made by a tool\n");
        const results = new Map(testbed.sent(1).results.map(({ id, text }) => [id, text]));
        assert.match(results.get(one) ?? "", /created successfully/);
        assert.match(results.get(two) ?? "", /42 bottles/);
        assert.equal(results.size, 2);
      });

      testWithFolders("--output-format stream-json shows the answer as it comes", async (folders) => {
        testbed.upstream.script(greeting);
        const all = ["-p", "Greet me", ...args, "--verbose", "--include-partial-messages"];
        all.push("--output-format", "stream-json");
        const run = await runClaudeCode({ url: testbed.url, folders, args: all });
        checkResult(parseResult(run), TEXT);
        const lines = run.stdout.trimEnd().split("\n").map((line) => Line.parse(JSON.parse(line)));
        assert.deepEqual([lines[0]?.type, lines[0]?.subtype], ["system", "init"]);
        assert.equal(lines.flatMap(({ event }) => event?.delta?.text ?? []).join(""), TEXT);
        assert.ok(lines.some(({ event }) => event?.type === "message_stop"));
        assert.ok(lines.some(({ type }) => type === "assistant"));
        assert.deepEqual(run.sought, []);
      });

      testWithFolders("waits after a 429 and goes on", async (folders) => {
        testbed.upstream.script(tooMany(1), greeting);
        checkResult((await prompt(folders, TASK)).result, TEXT);
      });

      testWithFolders("asks again without a stream after an error amid one", async (folders) => {
        testbed.upstream.script(reply({ text: PIECES, ending: "error" }), greeting);
        checkResult((await prompt(folders, TASK)).result, TEXT);
      });

      testWithFolders("gives up at once when the gateway's key is refused", async (folders) => {
        testbed.upstream.always(refuse(401, "authentication_error", "User not found."));
        const { run, result } = await prompt(folders, TASK);
        assert.equal(run.code, 1);
        assert.equal(result.is_error, true);
        assert.match(result.result, /401/);
        assert.equal(testbed.upstream.received.length, 1);
      });

      testWithFolders("shows the upstream's words when the prompt is too long", async (folders) => {
        testbed.upstream.always(tooLong(140_000, 131_072));
        const { result } = await prompt(folders, TASK);
        assert.equal(result.is_error, true);
        assert.match(result.result, /prompt is too long/i);
      });
    });
  }

  for (const [alias, model] of Object.entries(ALIASES)) {
    testWithFolders(`--model ${alias} asks for ${model}`, async (folders) => {
      testbed.upstream.script(greeting);
      const args = ["-p", "Greet me", "--output-format", "json", "--model", alias];
      checkResult(parseResult(await runClaudeCode({ url: testbed.url, folders, args })), TEXT);
      assert.equal(testbed.sent().model, model);
    });
  }

  testWithFolders("works with a base URL that ends in /v1", async (folders) => {
    testbed.upstream.script(greeting);
    const args = ["-p", "Greet me", "--output-format", "json"];
    checkResult(parseResult(await runClaudeCode({ url: `${testbed.url}/v1`, folders, args })), TEXT);
  });

  testWithFolders(
    "/context counts tokens at the gateway, many at once, and asks no upstream",
    async (folders) => {
      const run = await runClaudeCode({ url: testbed.url, folders, args: ["-p", "/context"] });
      assert.equal(run.code, 0);
      assert.match(run.stdout, /\| System prompt \| [1-9]/);
      assert.deepEqual(testbed.upstream.received, []);
    },
  );

  testWithFolders("finds the gateway's models", async (folders) => {
    testbed.upstream.script(greeting);
    const env = { CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY: "1" };
    const run = await runClaudeCode({ url: testbed.url, folders, args: ["-p", "Greet me"], env });
    assert.equal(run.stdout.trim(), TEXT);
    const cache = await readFile(join(folders.home, ".claude/cache/gateway-models.json"), "utf8");
    const ids = Cache.parse(JSON.parse(cache)).models.map(({ id }) => id);
    assert.ok(ids.includes("anthropic/claude-sonnet-4.5"), `it found ${ids}`);
    assert.ok(ids.includes("claude-of-the-house"), `it found ${ids}`);
  });
});

const Line = z.looseObject({
  type: z.string(),
  subtype: z.string().optional(),
  event: z.looseObject({
    type: z.string(),
    delta: z.looseObject({ text: z.string().optional() }).optional(),
  }).optional(),
});

const Cache = z.looseObject({ models: z.array(z.looseObject({ id: z.string() })) });
