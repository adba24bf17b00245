import * as v from "valibot";
import { formatTodoList } from "./todo_view.ts";
import { defineTool } from "../tool.ts";

/** Shows the to-do list. */
export const todoRead = defineTool({
  name: "TodoRead",
  description: "Shows the to-do list of this conversation.",
  trusted: true,
  hints: { readOnly: true, openWorld: false },
  input: v.object({
    status_filter: v.optional(
      v.pipe(
        v.picklist(["all", "pending", "in_progress", "completed"]),
        v.description("Show only entries with this status"),
      ),
    ),
    priority_filter: v.optional(
      v.pipe(
        v.picklist(["all", "high", "medium", "low"]),
        v.description("Show only entries with this priority"),
      ),
    ),
  }),
  async run({ status_filter: status = "all", priority_filter: priority = "all" }, { session }) {
    const shown = session.todos.filter((todo) =>
      (status === "all" || todo.status === status) && (priority === "all" || todo.priority === priority)
    );
    if (shown.length === 0 && session.todos.length > 0) return "(no matching entries)";
    return formatTodoList(shown);
  },
});
