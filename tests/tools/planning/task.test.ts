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
  expected: string | RegExp;
  /** The list afterwards, as the tool shows it. */
  left?: string;
}

const LIST: Record<string, Case> = {
  "lists the to-dos": { input: { action: "list" }, expected: `${REST}\n[ ] 3: rest` },
  "reports an empty list": { input: { action: "list" }, todos: [], expected: "The list is empty" },
  "adds to the list": {
    input: { action: "add", task: " look \n" },
    expected: `Added 4\n\n${REST}\n[ ] 3: rest\n[ ] 4: look`,
    left: `${REST}\n[ ] 3: rest\n[ ] 4: look`,
  },
  "adds to an empty list": {
    input: { action: "add", task: "look" },
    todos: [],
    expected: "Added 1\n\n[ ] 1: look",
  },
  "assigns unique ids": {
    input: { action: "add", task: "look" },
    todos: [{ id: "2", content: "read", status: "pending" }],
    expected: "Added 3\n\n[ ] 2: read\n[ ] 3: look",
  },
  "completes by number": {
    input: { action: "complete", task_id: 3 },
    expected: `Completed 3\n\n${REST}\n[x] 3: rest`,
    left: `${REST}\n[x] 3: rest`,
  },
  "completes by name": {
    input: { action: "complete", id: "b" },
    expected: "Completed b\n\n[x] 1: read\n[x] b: write\n[ ] 3: rest",
  },
  "removes": { input: { action: "remove", task_id: "3" }, expected: `Removed 3\n\n${REST}`, left: REST },
  "uses the list if there is a prompt as well": {
    input: { action: "list", prompt: "x" },
    todos: [],
    expected: "The list is empty",
  },
};

const REFUSED: Record<string, Case> = {
  "a task without text": {
    input: { action: "add", task: " " },
    expected: "Cannot add a task: task is required",
  },
  "an entry that does not exist": {
    input: { action: "remove", task_id: 7 },
    expected: 'Cannot remove task "7": the list has 1, b, 3',
  },
  "an entry of an empty list": {
    input: { action: "complete", task_id: "1" },
    todos: [],
    expected: 'Cannot complete task "1": the list is empty',
  },
  "a missing id": { input: { action: "complete" }, expected: "Cannot complete a task: task_id is required" },
  "a list that is too long": {
    input: { action: "add", task: "x".repeat(50_000) },
    expected: "Cannot store the list: it is longer than 50000 characters; shorten it",
  },
  "an unknown action": { input: { action: "burn" }, expected: /^Cannot use Task: action/ },
  "an empty input": {
    input: {},
    expected: "Cannot start a task: prompt or action is required",
  },
  "a description without a prompt": {
    input: { description: "look" },
    expected: /^Cannot start a task: prompt or action/,
  },
  "a prompt without text": { input: { prompt: "\n " }, expected: /^Cannot start a task: prompt or action/ },
};

for (const [does, { input, todos = TODOS, expected, left }] of Object.entries(LIST)) {
  test(`Task ${does}`, async () => {
    const session: Session = { seen: new Map(), todos: [...todos] };
    assert.equal(await run(input, { session }), expected);
    if (left !== undefined) assert.equal(await run({ action: "list" }, { session }), left);
  });
}

for (const [what, { input, todos = TODOS, expected }] of Object.entries(REFUSED)) {
  test(`Task rejects ${what}`, async () => {
    const session: Session = { seen: new Map(), todos: [...todos] };
    await assert.rejects(run(input, { session }), (error) => {
      assert.ok(error instanceof ToolError);
      if (typeof expected === "string") assert.equal(error.message, expected);
      else assert.match(error.message, expected);
      return true;
    });
    assert.deepEqual(session.todos, todos);
  });
}

test("Task sends its prompt to a model and returns its last text", async () => {
  const signal = new AbortController().signal;
  const calls: unknown[] = [];
  const converse: Models["runSubagent"] = async (prompt, options) => {
    calls.push([prompt, options.model, options.signal === signal]);
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
  assert.deepEqual(calls, [["look\nclosely", "haiku", true], ["silent", undefined, true]]);
});

test("Task returns the failure of its model", async () => {
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
  { session = { seen: new Map(), todos: [] }, converse = failOnCall, signal = new AbortController().signal }:
    {
      session?: Session;
      converse?: Models["runSubagent"];
      signal?: AbortSignal;
    },
): Promise<string> {
  const models = { complete: failOnCall, runSubagent: converse, search: failOnCall };
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

async function failOnCall(): Promise<never> {
  assert.fail("the model must not be called");
}
