import assert from "node:assert/strict";
import { after, test } from "node:test";
import { call, reply, type Turn } from "../../kit/model/turns.ts";
import { checkWritten, layFiles, READING, WRITING } from "./files.ts";
import { MODEL_APIS, type ModelApi, type ModelRequest, offeredNames, resultsSentIn } from "./model.ts";
import { answerSideRequest, startWeb, toWebCalls, toWebSettings } from "./network.ts";
import { type ExpectedCall, isOfTask, runCalls, TASK_MARK } from "./run_calls.ts";
import { COMMANDS, whyNoSandbox } from "./shell.ts";
import { withToolGateway } from "./tool_gateway.ts";
import { objects } from "../../kit/json.ts";

const web = await startWeb();
after(() => web.close());
const noSandbox = await whyNoSandbox();
if (noSandbox !== undefined) console.log(`Bash among the fifteen tools: skipped: ${noSandbox}`);

const ALL = "files-read,files-write,shell,network";
const NAMES =
  "Write Read Edit MultiEdit Glob Grep LS Bash Task WebSearch WebFetch NotebookRead NotebookEdit TodoRead TodoWrite";

const LISTS: readonly ExpectedCall[] = [
  {
    tool: "TodoWrite",
    input: { todos: [{ content: "Fill the comb", status: "in_progress", activeForm: "Filling the comb" }] },
    matches: /Fill the comb/,
  },
];
const LISTED: readonly ExpectedCall[] = [
  { tool: "TodoRead", input: {}, matches: /Fill the comb/ },
  {
    tool: "Task",
    input: { description: "Count", prompt: `Go and ${TASK_MARK} of hive.txt` },
    matches: /^There are three\.$/,
  },
];

/** The tool call within a task. */
const COUNTING: ExpectedCall = { tool: "Read", input: { file_path: "hive.txt", limit: 3 }, matches: /drone/ };

/** Returns a function that answers the requests of a task: a call that reads a file, then a text. */
function answerTask(api: ModelApi): (request: ModelRequest) => Turn | string | undefined {
  return (request) => {
    if (!isOfTask(request)) return answerSideRequest(request);
    return resultsSentIn(request).length === 0
      ? reply({ tools: [call(`${api.ids.upstream}task`, COUNTING.tool, COUNTING.input)] })
      : reply({ text: ["There are three."] });
  };
}

for (const api of MODEL_APIS) {
  for (const streamed of [false, true]) {
    const how = `${api.name}, ${streamed ? "streamed" : "whole"}`;
    test(`POST /v1/messages runs each of the fifteen tools in one message, ${how}`, () =>
      withToolGateway({ TOOLS: ALL, ...toWebSettings(web, "searxng") }, async (gateway) => {
        layFiles(gateway);
        gateway.model.choose(answerTask(api));
        const commands = noSandbox === undefined ? COMMANDS : [];
        const turns = [READING, [...LISTS, ...commands], LISTED, WRITING, toWebCalls(web)];
        await runCalls(gateway, turns, { api, streamed, within: [COUNTING] });
        checkWritten(gateway);
        const first = gateway.model.requests.find(({ body }) => body.model === api.model);
        assert.ok(first);
        assert.deepEqual(offeredNames(first), NAMES.split(" "));
        const called = new Set(turns.flat().map(({ tool }) => tool));
        assert.deepEqual(
          NAMES.split(" ").filter((name) => !called.has(name)),
          noSandbox === undefined ? [] : ["Bash"],
        );
        const task = gateway.model.requests.find(isOfTask);
        assert.ok(task);
        assert.deepEqual(offeredNames(task), NAMES.split(" ").filter((name) => name !== "Task"));
        assert.equal(objects(task.body.messages).filter(({ role }) => role === "user").length, 1);
      }));
  }
}
