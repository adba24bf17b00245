import assert from "node:assert/strict";
import { describe } from "node:test";
import { NO_CLAUDE_CODE, parseResult, runClaudeCode } from "./claude_code.ts";
import { checkResult, testWithFolders, WAYS } from "./testbed.ts";
import { readClaudeExample } from "../mcp/examples.ts";
import { CLIENT_KEY, NO_OWN_GATEWAY, TRANSLATED } from "../kit/testbed.ts";
import { setToolStage } from "../tools/testbed.ts";
import { call, reply } from "../../kit/model/turns.ts";

const READ = "mcp__gateway__Read";
const [ONE, TWO] = TRANSLATED.ids;

describe(
  "Claude Code, the gateway's tools as an MCP server",
  { skip: NO_CLAUDE_CODE || NO_OWN_GATEWAY },
  () => {
    const testbed = setToolStage();

    for (const over of ["http", "stdio"] as const) {
      testWithFolders(`are added by \`claude mcp add\` and read a file, over ${over}`, async (folders) => {
        const places = { url: testbed.url, key: CLIENT_KEY, folder: testbed.workspace };
        const args = readClaudeExample(over, places);
        const added = await runClaudeCode({ url: testbed.url, folders, args });
        assert.equal(added.code, 0, added.stderr);

        testbed.put("hive.txt", "queen\nworker\n");
        testbed.upstream.script(
          reply({ tools: [call(ONE, "ToolSearch", { query: `select:${READ}` })] }),
          reply({ tools: [call(TWO, READ, { file_path: "hive.txt" })] }),
          reply({ text: ["A queen and a worker."] }),
        );
        const prompt = ["-p", "Who lives in the hive?", "--output-format", "json", "--allowedTools", READ];
        const run = await runClaudeCode({
          url: testbed.url,
          folders,
          args: [...prompt, ...WAYS.translated.args],
        });
        checkResult(parseResult(run), "A queen and a worker.");
        assert.deepEqual(run.sought, []);

        const { tools, results } = testbed.sent(2);
        assert.ok(tools.includes(READ), tools.join());
        assert.match(results[1]?.text ?? "", /1\s+queen\n\s*2\s+worker/);
      });
    }
  },
);
