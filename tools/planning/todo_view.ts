import type { Todo } from "../session.ts";

/** Formats a to-do list. A description follows its entry on a separate line. */
export function formatTodoList(todos: readonly Todo[]): string {
  if (todos.length === 0) return "(the list is empty)";
  return todos.map(formatTodo).join("\n");
}

const MARKS = { pending: "[ ]", in_progress: "[>]", completed: "[x]" };

function formatTodo(
  { id, content, status, activeForm, priority, description, dueDate, tags = [] }: Todo,
): string {
  const details = [
    ...(priority === undefined ? [] : [`${priority} priority`]),
    ...(dueDate === undefined ? [] : [`due ${dueDate}`]),
    ...tags.map((tag) => `#${tag}`),
  ];
  const text = status === "in_progress" && activeForm ? `${content} (${activeForm})` : content;
  const more = description === undefined ? "" : `\n      ${description}`;
  return `${MARKS[status]} ${id}. ${text}${details.length > 0 ? ` (${details.join(", ")})` : ""}${more}`;
}
