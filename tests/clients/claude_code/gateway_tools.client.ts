import assert from "node:assert/strict";
import { describe } from "node:test";
import { NO_CLAUDE_CODE, parseResult, runClaudeCode } from "./claude_code.ts";
import { checkResult, testAtDesk, WAYS } from "./stage.ts";
import { readClaudeExample } from "../mcp/examples.ts";
import { CLIENT_KEY, NO_OWN_GATEWAY, TRANSLATED } from "../kit/stage.ts";
import { setToolStage } from "../tools/stage.ts";
import { call, say } from "../../kit/model/turns.ts";

const READ = "mcp__gateway__Read";
const [ONE, TWO] = TRANSLATED.ids;

describe(
  "Claude Code, the gateway's tools as an MCP server",
  { skip: NO_CLAUDE_CODE || NO_OWN_GATEWAY },
  () => {
    const stage = setToolStage();

    for (const over of ["http", "stdio"] as const) {
      testAtDesk(`are added by \`claude mcp add\` and read a file, over ${over}`, async (desk) => {
        const places = { url: stage.url, key: CLIENT_KEY, folder: stage.workspace };
        const args = readClaudeExample(over, places);
        const added = await runClaudeCode({ url: stage.url, desk, args });
        assert.equal(added.code, 0, added.stderr);

        stage.put("hive.txt", "queen\nworker\n");
        stage.upstream.script(
          say({ tools: [call(ONE, "ToolSearch", { query: `select:${READ}` })] }),
          say({ tools: [call(TWO, READ, { file_path: "hive.txt" })] }),
          say({ text: ["A queen and a worker."] }),
        );
        const prompt = ["-p", "Who lives in the hive?", "--output-format", "json", "--allowedTools", READ];
        const run = await runClaudeCode({ url: stage.url, desk, args: [...prompt, ...WAYS.translated.args] });
        checkResult(parseResult(run), "A queen and a worker.");
        assert.deepEqual(run.sought, []);

        const { tools, results } = stage.sent(2);
        assert.ok(tools.includes(READ), tools.join());
        assert.match(results[1]?.text ?? "", /1\s+queen\n\s*2\s+worker/);
      });
    }
  },
);
