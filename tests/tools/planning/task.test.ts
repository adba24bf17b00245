import assert from "node:assert/strict";
import { test } from "node:test";
import { ToolError } from "../../../tools/errors.ts";
import type { Models } from "../../../tools/models.ts";
import type { Session, Todo } from "../../../tools/session.ts";
import { task } from "../../../tools/planning/task.ts";
import { NO_FILES, NO_SHELL, NO_WEB } from "../../kit/no_host.ts";

const TODOS: Todo[] = [
  { id: "1", content: "read", status: "completed" },
  { id: "b", content: "write", status: "in_progress", priority: "high" },
  { id: "3", content: "rest", status: "pending" },
];
const REST = "[x] 1: read\n[~] b: write";

interface Case {
  input: unknown;
  todos?: Todo[];
  says: string | RegExp;
  /** What is to do afterwards, as the list shows it. */
  left?: string;
}

const LIST: Record<string, Case> = {
  "lists what is to do": { input: { action: "list" }, says: `${REST}\n[ ] 3: rest` },
  "says that nothing is to do": { input: { action: "list" }, todos: [], says: "The list is empty" },
  "adds to the list": {
    input: { action: "add", task: " look \n" },
    says: `Added 4\n\n${REST}\n[ ] 3: rest\n[ ] 4: look`,
    left: `${REST}\n[ ] 3: rest\n[ ] 4: look`,
  },
  "adds to an empty list": {
    input: { action: "add", task: "look" },
    todos: [],
    says: "Added 1\n\n[ ] 1: look",
  },
  "takes no id twice": {
    input: { action: "add", task: "look" },
    todos: [{ id: "2", content: "read", status: "pending" }],
    says: "Added 3\n\n[ ] 2: read\n[ ] 3: look",
  },
  "completes by number": {
    input: { action: "complete", task_id: 3 },
    says: `Completed 3\n\n${REST}\n[x] 3: rest`,
    left: `${REST}\n[x] 3: rest`,
  },
  "completes by name": {
    input: { action: "complete", id: "b" },
    says: "Completed b\n\n[x] 1: read\n[x] b: write\n[ ] 3: rest",
  },
  "removes": { input: { action: "remove", task_id: "3" }, says: `Removed 3\n\n${REST}`, left: REST },
  "minds the list where a prompt is there too": {
    input: { action: "list", prompt: "x" },
    todos: [],
    says: "The list is empty",
  },
};

const REFUSED: Record<string, Case> = {
  "a task without words": {
    input: { action: "add", task: " " },
    says: "Cannot add a task: task is required",
  },
  "an entry that is not there": {
    input: { action: "remove", task_id: 7 },
    says: 'Cannot remove task "7": the list has 1, b, 3',
  },
  "an entry of an empty list": {
    input: { action: "complete", task_id: "1" },
    todos: [],
    says: 'Cannot complete task "1": the list is empty',
  },
  "no entry at all": { input: { action: "complete" }, says: "Cannot complete a task: task_id is required" },
  "more than a list can hold": {
    input: { action: "add", task: "x".repeat(50_000) },
    says: "Cannot store the list: it is longer than 50000 characters; shorten it",
  },
  "an action it does not know": { input: { action: "burn" }, says: /^Cannot use Task: action/ },
  "nothing to do": {
    input: {},
    says: "Cannot start a task: prompt or action is required",
  },
  "a description without a prompt": {
    input: { description: "look" },
    says: /^Cannot start a task: prompt or action/,
  },
  "a prompt without words": { input: { prompt: "\n " }, says: /^Cannot start a task: prompt or action/ },
};

for (const [does, { input, todos = TODOS, says, left }] of Object.entries(LIST)) {
  test(`Task ${does}`, async () => {
    const session: Session = { seen: new Map(), todos: [...todos] };
    assert.equal(await run(input, { session }), says);
    if (left !== undefined) assert.equal(await run({ action: "list" }, { session }), left);
  });
}

for (const [what, { input, todos = TODOS, says }] of Object.entries(REFUSED)) {
  test(`Task rejects ${what}`, async () => {
    const session: Session = { seen: new Map(), todos: [...todos] };
    await assert.rejects(run(input, { session }), (error) => {
      assert.ok(error instanceof ToolError);
      if (typeof says === "string") assert.equal(error.message, says);
      else assert.match(error.message, says);
      return true;
    });
    assert.deepEqual(session.todos, todos);
  });
}

test("Task sends its prompt to a model and returns its last text", async () => {
  const signal = new AbortController().signal;
  const asked: unknown[] = [];
  const converse: Models["runSubagent"] = async (prompt, options) => {
    asked.push([prompt, options.model, options.signal === signal]);
    return prompt === "silent" ? " \n" : `done: ${prompt}`;
  };
  const input = {
    description: "look",
    prompt: "look\nclosely",
    subagent_type: "Explore",
    model: "haiku",
    isolation: "worktree",
  };
  assert.equal(await run(input, { converse, signal }), "done: look\nclosely");
  assert.equal(await run({ prompt: "silent" }, { converse, signal }), "The task returned no text");
  assert.deepEqual(asked, [["look\nclosely", "haiku", true], ["silent", undefined, true]]);
});

test("Task returns why its model failed", async () => {
  const runSubagent: Models["runSubagent"] = async () => {
    throw new ToolError("The model is overloaded");
  };
  await assert.rejects(
    run({ prompt: "look" }, { converse: runSubagent }),
    new ToolError("The model is overloaded"),
  );
});

async function run(
  input: unknown,
  { session = { seen: new Map(), todos: [] }, converse = notAsked, signal = new AbortController().signal }: {
    session?: Session;
    converse?: Models["runSubagent"];
    signal?: AbortSignal;
  },
): Promise<string> {
  const models = { complete: notAsked, runSubagent: converse, search: notAsked };
  const content = await task.run(input, {
    signal,
    files: NO_FILES,
    shell: NO_SHELL,
    web: NO_WEB,
    models,
    session,
  });
  return content.map((piece) => piece.type === "text" ? piece.text : assert.fail(piece.type)).join("");
}

async function notAsked(): Promise<never> {
  assert.fail("nobody is to be asked");
}
