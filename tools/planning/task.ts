import * as v from "valibot";
import { ToolError } from "../errors.ts";
import { type Session, setTodos, type Todo } from "../session.ts";
import { defineTool } from "../tool.ts";

const MARKS: Record<Todo["status"], string> = { pending: " ", in_progress: "~", completed: "x" };

/** Hands a piece of work to a model of its own; or keeps the list of what is to do, for models that expect that. */
export const task = defineTool({
  name: "Task",
  description: [
    "Has another model do a piece of work on its own, with the same tools but this one, and gives its last words. " +
    "It sees nothing of this conversation: say in the prompt all that it needs to know, and what it is to report. " +
    "Use it for searches and other work of many steps, of which only the outcome matters here.",
    "With an action instead of a prompt it keeps a list of what is to do: list, add (with task), complete and " +
    "remove (with task_id).",
  ].join("\n"),
  nested: true,
  aliases: { id: "task_id", taskId: "task_id" },
  input: v.object({
    description: v.optional(v.pipe(v.string(), v.description("The work in a few words."))),
    prompt: v.optional(v.pipe(v.string(), v.description("The work itself, with all that is to be known."))),
    subagent_type: v.optional(v.pipe(v.string(), v.description("Of no effect: there is one kind of agent."))),
    model: v.optional(
      v.pipe(v.string(), v.description("The model to do it; without one, that of this conversation.")),
    ),
    action: v.optional(
      v.pipe(v.picklist(["list", "add", "complete", "remove"]), v.description("What to do with the list.")),
    ),
    task: v.optional(v.pipe(v.string(), v.description("What to add to the list."))),
    task_id: v.optional(
      v.pipe(v.union([v.string(), v.number()]), v.description("Which entry of the list is meant.")),
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
          throw new ToolError(
            "Cannot start a task: give a prompt, or an action for the list of what is to do",
          );
        }
        const report = await models.runSubagent(prompt, { model, signal });
        return report.trim() === "" ? "The task ended without a word" : report;
      }
    }
  },
});

function addTodo(session: Session, content: string): string {
  if (content === "") throw new ToolError("Cannot add a task: say in task what is to do");
  const usedIds = new Set(session.todos.map(({ id }) => id));
  let id = session.todos.length + 1;
  while (usedIds.has(String(id))) id += 1;
  setTodos(session, [...session.todos, { id: String(id), content, status: "pending" }]);
  return `Added ${id}\n\n${formatTodos(session.todos)}`;
}

function findTodo({ todos }: Session, id: string | number | undefined, action: string): Todo {
  if (id === undefined) throw new ToolError(`Cannot ${action} a task: say in task_id which`);
  const found = todos.find((todo) => todo.id === String(id));
  if (found !== undefined) return found;
  const available = todos.length === 0
    ? "the list is empty"
    : `there are ${todos.map((todo) => todo.id).join(", ")}`;
  throw new ToolError(`Cannot ${action} task "${id}": ${available}`);
}

function formatTodos(todos: readonly Todo[]): string {
  return todos.map(({ id, content, status }) => `[${MARKS[status]}] ${id}: ${content}`).join("\n") ||
    "There is nothing to do";
}
