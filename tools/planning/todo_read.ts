import * as v from "valibot";
import { formatTodoList } from "./todo_view.ts";
import { defineTool } from "../tool.ts";

/** Shows the list of what is to be done. */
export const todoRead = defineTool({
  name: "TodoRead",
  description: "Shows the list of what is to be done in this conversation.",
  input: v.object({
    status_filter: v.optional(
      v.pipe(
        v.picklist(["all", "pending", "in_progress", "completed"]),
        v.description("Only what is so far"),
      ),
    ),
    priority_filter: v.optional(
      v.pipe(v.picklist(["all", "high", "medium", "low"]), v.description("Only what is so important")),
    ),
  }),
  async run({ status_filter: status = "all", priority_filter: priority = "all" }, { session }) {
    const shown = session.todos.filter((todo) =>
      (status === "all" || todo.status === status) && (priority === "all" || todo.priority === priority)
    );
    if (shown.length === 0 && session.todos.length > 0) return "(none of that kind)";
    return formatTodoList(shown);
  },
});
