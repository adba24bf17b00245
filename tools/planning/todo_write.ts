import * as v from "valibot";
import { ToolError } from "../errors.ts";
import { setTodos, type Todo } from "../session.ts";
import { formatTodoList } from "./todo_view.ts";
import { defineTool } from "../tool.ts";

const Status = v.picklist(["pending", "in_progress", "completed"]);
const Priority = v.picklist(["high", "medium", "low"]);
const ShortText = v.pipe(v.string(), v.maxLength(2000));

const TodoItem = v.object({
  content: v.pipe(ShortText, v.minLength(1), v.description("What is to be done")),
  status: v.pipe(Status, v.description("How far it is")),
  activeForm: v.optional(
    v.pipe(ShortText, v.description("What is being done while it is, as “Running the tests”")),
  ),
  id: v.optional(v.pipe(ShortText, v.description("Its name in this list; its number if nothing is said"))),
  priority: v.optional(Priority),
});

const Input = v.object({
  todos: v.optional(
    v.pipe(
      v.array(TodoItem),
      v.maxLength(500),
      v.description("The whole list, which takes the place of the one before"),
    ),
  ),
  action: v.optional(
    v.pipe(
      v.picklist(["add", "update", "delete", "complete"]),
      v.description("Instead of todos: changes one thing"),
    ),
  ),
  todo_id: v.optional(v.pipe(v.string(), v.description("With action: which one"))),
  title: v.optional(v.pipe(ShortText, v.description("With action: what is to be done"))),
  description: v.optional(v.pipe(ShortText, v.description("With action: more about it"))),
  status: v.optional(Status),
  priority: v.optional(Priority),
  due_date: v.optional(v.pipe(ShortText, v.description("With action: until when"))),
  tags: v.optional(
    v.pipe(v.array(ShortText), v.maxLength(20), v.description("With action: what it belongs to")),
  ),
});

type TodoChange = Omit<v.InferOutput<typeof Input>, "todos" | "action">;

/** Keeps the list of what is to be done. */
export const todoWrite = defineTool({
  name: "TodoWrite",
  description:
    "Keeps a list of what is to be done in this conversation. Give the whole list as todos each time, " +
    "one of them in_progress while you work on it; set it completed as soon as it is.",
  input: Input,
  aliases: { content: "title", id: "todo_id" },
  async run({ todos, action, ...change }, { session }) {
    if (todos !== undefined) {
      setTodos(session, assignIds(todos));
    } else {
      if (action === undefined) {
        throw new ToolError("Cannot write todos: neither todos nor an action is given");
      }
      setTodos(session, applyAction(session.todos, action, change));
    }
    return formatTodoList(session.todos);
  },
});

function assignIds(items: readonly v.InferOutput<typeof TodoItem>[]): Todo[] {
  const todos = items.map((item, index) => ({ ...item, id: item.id || String(index + 1) }));
  const ids = new Set(todos.map(({ id }) => id));
  if (ids.size < todos.length) throw new ToolError("Cannot write todos: two of them have one id");
  return todos;
}

function applyAction(
  todos: readonly Todo[],
  action: "add" | "update" | "delete" | "complete",
  change: TodoChange,
): Todo[] {
  if (action === "add") return [...todos, createTodo(todos, change)];
  const { todo_id: id } = change;
  if (id === undefined) throw new ToolError(`Cannot ${action} a todo: todo_id is missing`);
  if (!todos.some((todo) => todo.id === id)) {
    throw new ToolError(`Cannot ${action} the todo ${JSON.stringify(id)}: there is none of that id`);
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
  if (!change.title) throw new ToolError("Cannot add a todo: title is missing");
  if (todos.length >= 500) throw new ToolError("Cannot add a todo: there are 500 already");
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
