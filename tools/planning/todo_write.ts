import * as v from "valibot";
import { ToolError } from "../errors.ts";
import { setTodos, type Todo } from "../session.ts";
import { formatTodoList } from "./todo_view.ts";
import { defineTool } from "../tool.ts";

const Status = v.picklist(["pending", "in_progress", "completed"]);
const Priority = v.picklist(["high", "medium", "low"]);
const ShortText = v.pipe(v.string(), v.maxLength(2000));

const TodoItem = v.object({
  content: v.pipe(ShortText, v.minLength(1), v.description("What to do")),
  status: v.pipe(Status, v.description("The status of the entry")),
  activeForm: v.optional(
    v.pipe(
      ShortText,
      v.description(
        "The content in the present continuous, such as “Running the tests”; shown while in_progress",
      ),
    ),
  ),
  id: v.optional(v.pipe(ShortText, v.description("The id of the entry. Default: its number in the list"))),
  priority: v.optional(Priority),
});

const Input = v.object({
  todos: v.optional(
    v.pipe(
      v.array(TodoItem),
      v.maxLength(500),
      v.description("The whole list; it replaces the previous one"),
    ),
  ),
  action: v.optional(
    v.pipe(
      v.picklist(["add", "update", "delete", "complete"]),
      v.description("Instead of todos: changes one entry"),
    ),
  ),
  todo_id: v.optional(v.pipe(v.string(), v.description("With action: the id of the entry"))),
  title: v.optional(v.pipe(ShortText, v.description("With action: what to do"))),
  description: v.optional(v.pipe(ShortText, v.description("With action: details"))),
  status: v.optional(Status),
  priority: v.optional(Priority),
  due_date: v.optional(v.pipe(ShortText, v.description("With action: the due date"))),
  tags: v.optional(
    v.pipe(v.array(ShortText), v.maxLength(20), v.description("With action: the tags of the entry")),
  ),
});

type TodoChange = Omit<v.InferOutput<typeof Input>, "todos" | "action">;

/** Replaces the to-do list, or changes one entry of it. */
export const todoWrite = defineTool({
  name: "TodoWrite",
  description:
    "Keeps the to-do list of this conversation. Send the whole list as todos each time. Mark one entry " +
    "in_progress while you work on it, and completed as soon as it is done.",
  trusted: true,
  hints: { readOnly: false, destructive: true, idempotent: false, openWorld: false },
  input: Input,
  aliases: { content: "title", id: "todo_id" },
  async run({ todos, action, ...change }, { session }) {
    if (todos !== undefined) {
      setTodos(session, assignIds(todos));
    } else {
      if (action === undefined) {
        throw new ToolError("Cannot write todos: todos or action is required");
      }
      setTodos(session, applyAction(session.todos, action, change));
    }
    return formatTodoList(session.todos);
  },
});

function assignIds(items: readonly v.InferOutput<typeof TodoItem>[]): Todo[] {
  const todos = items.map((item, index) => ({ ...item, id: item.id || String(index + 1) }));
  const ids = new Set(todos.map(({ id }) => id));
  if (ids.size < todos.length) throw new ToolError("Cannot write todos: two entries have the same id");
  return todos;
}

function applyAction(
  todos: readonly Todo[],
  action: "add" | "update" | "delete" | "complete",
  change: TodoChange,
): Todo[] {
  if (action === "add") return [...todos, createTodo(todos, change)];
  const { todo_id: id } = change;
  if (id === undefined) throw new ToolError(`Cannot ${action} a todo: todo_id is required`);
  if (!todos.some((todo) => todo.id === id)) {
    throw new ToolError(`Cannot ${action} todo ${JSON.stringify(id)}: no entry has this id`);
  }
  switch (action) {
    case "delete":
      return todos.filter((todo) => todo.id !== id);
    case "complete":
      return todos.map((todo) => todo.id === id ? { ...todo, status: "completed" } : todo);
    case "update":
      return todos.map((todo) => todo.id === id ? merge(todo, change) : todo);
  }
}

function createTodo(todos: readonly Todo[], change: TodoChange): Todo {
  if (!change.title) throw new ToolError("Cannot add a todo: title is required");
  if (todos.length >= 500) throw new ToolError("Cannot add a todo: the list already has 500 entries");
  let number = todos.length + 1;
  while (todos.some(({ id }) => id === String(number))) number += 1;
  return merge({ id: String(number), content: change.title, status: "pending" }, change);
}

function merge(todo: Todo, { title, status, priority, description, due_date, tags }: TodoChange): Todo {
  return {
    ...todo,
    content: title || todo.content,
    status: status ?? todo.status,
    priority: priority ?? todo.priority,
    description: description ?? todo.description,
    dueDate: due_date ?? todo.dueDate,
    tags: tags ?? todo.tags,
  };
}
