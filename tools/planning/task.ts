import * as v from "valibot";
import { ToolError } from "../errors.ts";
import { type Session, setTodos, type Todo } from "../session.ts";
import { defineTool } from "../tool.ts";

const MARKS: Record<Todo["status"], string> = { pending: " ", in_progress: "~", completed: "x" };

/** Runs a subagent on a task. With `action`, manages the to-do list instead, for models that expect that. */
export const task = defineTool({
  name: "Task",
  description: [
    "Runs a subagent: another model that does a task with the same tools except this one, and returns its final " +
    "answer. The subagent does not see this conversation: write into the prompt everything that it needs to know, " +
    "and what it must report. Use it for searches and other tasks of many steps of which you need only the result.",
    "With an action instead of a prompt, manages the to-do list: list, add (with task), complete and remove (with " +
    "task_id).",
  ].join("\n"),
  nested: true,
  aliases: { id: "task_id", taskId: "task_id" },
  input: v.object({
    description: v.optional(v.pipe(v.string(), v.description("The task in a few words."))),
    prompt: v.optional(
      v.pipe(v.string(), v.description("The task, with everything that the subagent needs to know.")),
    ),
    subagent_type: v.optional(v.pipe(v.string(), v.description("Ignored: there is only one kind of agent."))),
    model: v.optional(
      v.pipe(v.string(), v.description("The model to use. Default: the model of this conversation.")),
    ),
    action: v.optional(
      v.pipe(
        v.picklist(["list", "add", "complete", "remove"]),
        v.description("What to do with the to-do list."),
      ),
    ),
    task: v.optional(v.pipe(v.string(), v.description("The entry to add."))),
    task_id: v.optional(
      v.pipe(v.union([v.string(), v.number()]), v.description("The id of the entry.")),
    ),
  }),
  async run({ prompt = "", model, action, task: content = "", task_id }, { models, session, signal }) {
    switch (action) {
      case "list":
        return formatTodos(session.todos);
      case "add":
        return addTodo(session, content.trim());
      case "complete": {
        const todo = findTodo(session, task_id, "complete");
        session.todos = session.todos.map((other) =>
          other === todo ? { ...todo, status: "completed" } : other
        );
        return `Completed ${todo.id}\n\n${formatTodos(session.todos)}`;
      }
      case "remove": {
        const todo = findTodo(session, task_id, "remove");
        session.todos = session.todos.filter((other) => other !== todo);
        return `Removed ${todo.id}\n\n${formatTodos(session.todos)}`;
      }
      case undefined: {
        if (prompt.trim() === "") {
          throw new ToolError("Cannot start a task: prompt or action is required");
        }
        const report = await models.runSubagent(prompt, { model, signal });
        return report.trim() === "" ? "The task returned no text" : report;
      }
    }
  },
});

function addTodo(session: Session, content: string): string {
  if (content === "") throw new ToolError("Cannot add a task: task is required");
  const usedIds = new Set(session.todos.map(({ id }) => id));
  let id = session.todos.length + 1;
  while (usedIds.has(String(id))) id += 1;
  setTodos(session, [...session.todos, { id: String(id), content, status: "pending" }]);
  return `Added ${id}\n\n${formatTodos(session.todos)}`;
}

function findTodo({ todos }: Session, id: string | number | undefined, action: string): Todo {
  if (id === undefined) throw new ToolError(`Cannot ${action} a task: task_id is required`);
  const found = todos.find((todo) => todo.id === String(id));
  if (found !== undefined) return found;
  const available = todos.length === 0
    ? "the list is empty"
    : `the list has ${todos.map((todo) => todo.id).join(", ")}`;
  throw new ToolError(`Cannot ${action} task "${id}": ${available}`);
}

function formatTodos(todos: readonly Todo[]): string {
  return todos.map(({ id, content, status }) => `[${MARKS[status]}] ${id}: ${content}`).join("\n") ||
    "The list is empty";
}
