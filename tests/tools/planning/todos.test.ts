import assert from "node:assert/strict";
import { test } from "node:test";
import { todoRead } from "../../../tools/planning/todo_read.ts";
import { todoWrite } from "../../../tools/planning/todo_write.ts";
import { useWorkspaces } from "../files/workspace.ts";

const createWorkspace = useWorkspaces();

test("TodoWrite replaces the list of one conversation", async () => {
  const { run, fail } = createWorkspace();
  const todos = [
    { content: "Look", status: "completed", activeForm: "Looking" },
    { content: "Leap", status: "in_progress", activeForm: "Leaping", priority: "high" },
    { content: "Land", status: "pending", activeForm: "Landing", id: "end" },
  ];
  const shown = "[x] 1. Look\n[>] 2. Leap (Leaping) (high priority)\n[ ] end. Land";
  assert.equal(await run(todoRead, {}), "(the list is empty)");
  assert.equal(await run(todoWrite, { todos }), shown);
  assert.equal(await run(todoRead, {}), shown);
  assert.equal(await createWorkspace().run(todoRead, {}), "(the list is empty)");
  assert.equal(await run(todoRead, { status_filter: "pending" }), "[ ] end. Land");
  assert.equal(await run(todoRead, { priority_filter: "high", status_filter: "all" }), shown.split("\n")[1]);
  assert.equal(await run(todoRead, { priority_filter: "low" }), "(no matching entries)");
  assert.match(
    await fail(todoWrite, { todos: [{ ...todos[0], id: "x" }, { ...todos[1], id: "x" }] }),
    /the same id$/,
  );
  assert.match(
    await fail(todoWrite, { todos: [{ content: "x", status: "later" }] }),
    /^Cannot use TodoWrite: todos\.0\.status/,
  );
  assert.match(await fail(todoWrite, {}), /todos or action is required$/);
  assert.equal(await run(todoRead, {}), shown, "a failure changes nothing");
  assert.equal(await run(todoWrite, { todos: [] }), "(the list is empty)");
});

test("TodoWrite accepts single changes in the form of the original tool", async () => {
  const { run, fail } = createWorkspace();
  const add = {
    action: "add",
    title: "Ship",
    description: "soon",
    priority: "high",
    due_date: "Friday",
    tags: ["a", "b"],
  };
  assert.equal(await run(todoWrite, add), "[ ] 1. Ship (high priority, due Friday, #a, #b)\n      soon");
  await run(todoWrite, { action: "add", title: "Rest" });
  await run(todoWrite, {
    action: "update",
    todo_id: "1",
    title: "Ship it",
    priority: "low",
    description: "now",
  });
  assert.equal(
    await run(todoWrite, { action: "complete", todo_id: "2" }),
    "[ ] 1. Ship it (low priority, due Friday, #a, #b)\n      now\n[x] 2. Rest",
  );
  assert.equal(await run(todoWrite, { action: "delete", todo_id: "1" }), "[x] 2. Rest");
  assert.equal(await run(todoWrite, { action: "add", title: "More" }), "[x] 2. Rest\n[ ] 3. More");
  assert.match(await fail(todoWrite, { action: "delete", todo_id: "9" }), /no entry has this id$/);
  assert.match(await fail(todoWrite, { action: "update" }), /todo_id is required$/);
  assert.match(await fail(todoWrite, { action: "add" }), /title is required$/);
});
