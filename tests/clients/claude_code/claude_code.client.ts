import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe } from "node:test";
import { z } from "zod";
import { NO_CLAUDE_CODE, parseResult, runClaudeCode } from "./claude_code.ts";
import { checkResult, createPrompt, testAtDesk, TOOLS, WAYS } from "./stage.ts";
import { greeting, PIECES, TEXT } from "../kit/scenarios.ts";
import { CLIENT_KEY, ROADS, setStage } from "../kit/stage.ts";
import { call, refuse, say, tooLong, tooMany } from "../../kit/model/turns.ts";

/** Claude Code's own aliases, and what they must come to. */
const ALIASES = { sonnet: "anthropic/claude-sonnet-5.5", haiku: "anthropic/claude-haiku-5.5" };

const TASK = "Do as you are told";

describe("Claude Code", { skip: NO_CLAUDE_CODE }, () => {
  const stage = setStage();

  for (const road of ROADS) {
    const { args, model } = WAYS[road.name];
    const [one, two] = road.ids;

    const prompt = createPrompt(stage, road);

    describe(road.name, () => {
      testAtDesk("answers a prompt", async (desk) => {
        stage.upstream.script(greeting);
        const { run, result } = await prompt(desk, TASK);
        assert.equal(run.code, 0);
        checkResult(result, TEXT);
        assert.equal(result.usage.input_tokens, 200);
        assert.equal(result.usage.cache_read_input_tokens, 1000);
        assert.equal(result.usage.output_tokens, 42);
        assert.equal(stage.sent().model, model);
        assert.match(stage.sent().user, /Do as you are told/);
        for (const name of ["Bash", "Edit", "Read", "Write"]) {
          assert.ok(stage.sent().tools.includes(name), name);
        }
        assert.match(stage.sent().system, /Claude Code/);
        assert.ok(!JSON.stringify(stage.upstream.asked[0]?.headers).includes(CLIENT_KEY));
        // It changes with each conversation, and so would spoil the cache of whoever gets it as text.
        if (road.name === "translated") {
          assert.doesNotMatch(stage.sent().system, /x-anthropic-billing-header/);
        }
      });

      testAtDesk("reads a file, thinks, and edits it on disk", async (desk) => {
        const file_path = join(desk.work, "greeting.txt");
        await writeFile(file_path, "Hello world 🙂\nsecond line\n");
        const edit = { file_path, old_string: "Hello world 🙂", new_string: "Grüezi, 世界 🙂" };
        const thinking = { pieces: ["I must read", " it first."], signature: "EokHCmUIDxgCKkBX0fNi" };
        stage.upstream.script(
          say({ thinking, text: ["I look."], tools: [call(one, "Read", { file_path })] }),
          say({ tools: [call(two, "Edit", edit)] }),
          say({ text: ["Done."] }),
        );
        checkResult((await prompt(desk, TASK, ...TOOLS)).result, "Done.");
        assert.equal(await readFile(file_path, "utf8"), "Grüezi, 世界 🙂\nsecond line\n");
        assert.equal(stage.sent(1).thinking, "I must read it first.");
        assert.deepEqual(stage.sent(1).results.map(({ id }) => id), [one]);
        assert.match(stage.sent(1).results[0]?.text ?? "", /Hello world 🙂[^]*second line/);
        assert.deepEqual(stage.sent(2).calls.map(({ id }) => id), [one, two]);
        assert.deepEqual(stage.sent(2).calls.map(({ name }) => name), ["Read", "Edit"]);
        assert.deepEqual(stage.sent(2).calls[1]?.input, { replace_all: false, ...edit });
        assert.match(stage.sent(2).results[1]?.text ?? "", /updated successfully/);
      });

      testAtDesk("runs two tools at once", async (desk) => {
        const file_path = join(desk.work, "made.txt");
        stage.upstream.script(
          say({
            tools: [
              call(one, "Write", { file_path, content: "made by a tool\n" }),
              call(two, "Bash", { command: "echo $((6 * 7)) bottles", description: "Count" }),
            ],
          }),
          say({ text: ["Both done."] }),
        );
        checkResult((await prompt(desk, TASK, ...TOOLS)).result, "Both done.");
        assert.equal(await readFile(file_path, "utf8"), "made by a tool\n");
        const results = new Map(stage.sent(1).results.map(({ id, text }) => [id, text]));
        assert.match(results.get(one) ?? "", /created successfully/);
        assert.match(results.get(two) ?? "", /42 bottles/);
        assert.equal(results.size, 2);
      });

      testAtDesk("--output-format stream-json shows the answer as it comes", async (desk) => {
        stage.upstream.script(greeting);
        const all = ["-p", "Greet me", ...args, "--verbose", "--include-partial-messages"];
        all.push("--output-format", "stream-json");
        const run = await runClaudeCode({ url: stage.url, desk, args: all });
        checkResult(parseResult(run), TEXT);
        const lines = run.stdout.trimEnd().split("\n").map((line) => Line.parse(JSON.parse(line)));
        assert.deepEqual([lines[0]?.type, lines[0]?.subtype], ["system", "init"]);
        assert.equal(lines.flatMap(({ event }) => event?.delta?.text ?? []).join(""), TEXT);
        assert.ok(lines.some(({ event }) => event?.type === "message_stop"));
        assert.ok(lines.some(({ type }) => type === "assistant"));
        assert.deepEqual(run.sought, []);
      });

      testAtDesk("waits after a 429 and goes on", async (desk) => {
        stage.upstream.script(tooMany(1), greeting);
        checkResult((await prompt(desk, TASK)).result, TEXT);
      });

      testAtDesk("asks again without a stream after an error amid one", async (desk) => {
        stage.upstream.script(say({ text: PIECES, ending: "error" }), greeting);
        checkResult((await prompt(desk, TASK)).result, TEXT);
      });

      testAtDesk("gives up at once when the gateway's key is refused", async (desk) => {
        stage.upstream.always(refuse(401, "authentication_error", "User not found."));
        const { run, result } = await prompt(desk, TASK);
        assert.equal(run.code, 1);
        assert.equal(result.is_error, true);
        assert.match(result.result, /401/);
        assert.equal(stage.upstream.asked.length, 1);
      });

      testAtDesk("shows the upstream's words when the prompt is too long", async (desk) => {
        stage.upstream.always(tooLong(140_000, 131_072));
        const { result } = await prompt(desk, TASK);
        assert.equal(result.is_error, true);
        assert.match(result.result, /prompt is too long/i);
      });
    });
  }

  for (const [alias, model] of Object.entries(ALIASES)) {
    testAtDesk(`--model ${alias} asks for ${model}`, async (desk) => {
      stage.upstream.script(greeting);
      const args = ["-p", "Greet me", "--output-format", "json", "--model", alias];
      checkResult(parseResult(await runClaudeCode({ url: stage.url, desk, args })), TEXT);
      assert.equal(stage.sent().model, model);
    });
  }

  testAtDesk("works with a base URL that ends in /v1", async (desk) => {
    stage.upstream.script(greeting);
    const args = ["-p", "Greet me", "--output-format", "json"];
    checkResult(parseResult(await runClaudeCode({ url: `${stage.url}/v1`, desk, args })), TEXT);
  });

  testAtDesk("/context counts tokens at the gateway, many at once, and asks no upstream", async (desk) => {
    const run = await runClaudeCode({ url: stage.url, desk, args: ["-p", "/context"] });
    assert.equal(run.code, 0);
    assert.match(run.stdout, /\| System prompt \| [1-9]/);
    assert.deepEqual(stage.upstream.asked, []);
  });

  testAtDesk("finds the gateway's models", async (desk) => {
    stage.upstream.script(greeting);
    const env = { CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY: "1" };
    const run = await runClaudeCode({ url: stage.url, desk, args: ["-p", "Greet me"], env });
    assert.equal(run.stdout.trim(), TEXT);
    const cache = await readFile(join(desk.home, ".claude/cache/gateway-models.json"), "utf8");
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
