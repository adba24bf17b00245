import assert from "node:assert/strict";
import { after, test } from "node:test";
import { call, say, type Turn } from "../../clients/turns.ts";
import { objects } from "../../kit/json.ts";
import { checkWritten, layFiles, READING, WRITING } from "./files.ts";
import { type Asked, offeredNames, type Road, ROADS, toldResults } from "./model.ts";
import { answerAside, startWeb, toWebPlays, toWebSettings } from "./network.ts";
import { isOfTask, type Play, playTurns, TASK_MARK } from "./play.ts";
import { COMMANDS, whyNoCommand } from "./shell.ts";
import { withDoor } from "./stage.ts";

const web = await startWeb();
after(() => web.close());
const noCommand = await whyNoCommand();
if (noCommand !== undefined) console.log(`Bash among the fifteen tools: skipped, for ${noCommand}`);

const ALL = "files-read,files-write,shell,network";
const NAMES =
  "Write Read Edit MultiEdit Glob Grep LS Bash Task WebSearch WebFetch NotebookRead NotebookEdit TodoRead TodoWrite";

const LISTS: readonly Play[] = [
  {
    tool: "TodoWrite",
    input: { todos: [{ content: "Fill the comb", status: "in_progress", activeForm: "Filling the comb" }] },
    says: /Fill the comb/,
  },
];
const LISTED: readonly Play[] = [
  { tool: "TodoRead", input: {}, says: /Fill the comb/ },
  {
    tool: "Task",
    input: { description: "Count", prompt: `Go and ${TASK_MARK} of hive.txt` },
    says: /^There are three\.$/,
  },
];

/** What a task calls. */
const COUNTING: Play = { tool: "Read", input: { file_path: "hive.txt", limit: 3 }, says: /drone/ };

/** The conversation of a task: it reads a file, and says what it has found. */
function answerTask(road: Road): (asked: Asked) => Turn | string | undefined {
  return (asked) => {
    if (!isOfTask(asked)) return answerAside(asked);
    return toldResults(asked).length === 0
      ? say({ tools: [call(`${road.ids.upstream}task`, COUNTING.tool, COUNTING.input)] })
      : say({ text: ["There are three."] });
  };
}

for (const road of ROADS) {
  for (const streamed of [false, true]) {
    const how = `${road.name}, ${streamed ? "streamed" : "whole"}`;
    test(`one message asks for each of the fifteen tools, ${how}`, () =>
      withDoor({ TOOLS: ALL, ...toWebSettings(web, "searxng") }, async (door) => {
        layFiles(door);
        door.model.choose(answerTask(road));
        const commands = noCommand === undefined ? COMMANDS : [];
        const turns = [READING, [...LISTS, ...commands], LISTED, WRITING, toWebPlays(web)];
        await playTurns(door, turns, { road, streamed, within: [COUNTING] });
        checkWritten(door);
        const first = door.model.asked.find(({ body }) => body.model === road.model);
        assert.ok(first);
        assert.deepEqual(offeredNames(first), NAMES.split(" "));
        const asked = new Set(turns.flat().map(({ tool }) => tool));
        assert.deepEqual(
          NAMES.split(" ").filter((name) => !asked.has(name)),
          noCommand === undefined ? [] : ["Bash"],
        );
        const task = door.model.asked.find(isOfTask);
        assert.ok(task);
        assert.deepEqual(offeredNames(task), NAMES.split(" ").filter((name) => name !== "Task"));
        assert.equal(objects(task.body.messages).filter(({ role }) => role === "user").length, 1);
      }));
  }
}
