import type { CustomTool, TypedTool } from "../../anthropic/schema.ts";
import type { JsonObject } from "../../base/json.ts";

/**
 * Describes a typed tool that the client runs, for models that were not trained on the type. Returns undefined for
 * other types of tools. Source: https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview
 */
export function toClientTool(tool: TypedTool): CustomTool | undefined {
  const [, kind = "", version = ""] = /^([a-z_]+)_(\d{8})$/.exec(tool.type) ?? [];
  const definition = TOOL_KINDS.get(kind)?.(tool, Number(version));
  if (definition === undefined) return undefined;
  const { name, description, properties, required } = definition;
  return {
    name: tool.name || name,
    description,
    input_schema: { type: "object", properties, ...(required.length > 0 && { required }) },
    ...(hasCacheControl(tool) && { cache_control: tool.cache_control }),
  };
}

interface ToolDescription {
  name: string;
  description: string;
  properties: JsonObject;
  required: string[];
}

const TOOL_KINDS = new Map<string, (tool: TypedTool, version: number) => ToolDescription>([
  ["bash", () => BASH_TOOL],
  ["text_editor", (tool, version) => editorTool(tool, version)],
  ["memory", () => MEMORY_TOOL],
  ["computer", (tool, version) => computerTool(tool, version)],
]);

function hasCacheControl(tool: TypedTool): tool is TypedTool & Pick<CustomTool, "cache_control"> {
  return tool.cache_control !== undefined;
}

const text = (description: string) => ({ type: "string", description });
const integer = (description: string) => ({ type: "integer", description });
const integers = (size: number, description: string) => ({
  type: "array",
  items: { type: "integer" },
  minItems: size,
  maxItems: size,
  description,
});
const choice = (values: readonly string[], description: string) => ({
  type: "string",
  enum: values,
  description,
});

// ---- bash

const BASH_TOOL: ToolDescription = {
  name: "bash",
  description:
    "Runs a command in a persistent bash shell: directory, variables and background jobs last from one call to the " +
    "next. Returns the command's output. A command must not wait for user input. If the shell hangs or was killed, " +
    "restart it with restart.",
  properties: {
    command: text("The command to run; required unless restart is true"),
    restart: { type: "boolean", description: "True to restart the shell instead of running a command" },
  },
  required: [],
};

// ---- text editor and memory

const VIEW_RANGE = integers(
  2,
  "For view of a file: the first and the last line to show, counted from 1; -1 as the last line means the end",
);
const EDIT_PROPERTIES = {
  file_text: text("For create: the whole content of the file"),
  old_str: text("For str_replace: the text to replace; it must match the file exactly and occur only once"),
  new_str: text("For str_replace: the replacement; without it, the old text is deleted"),
  insert_line: integer(
    "For insert: the line after which the text is inserted; 0 means before the first line",
  ),
};

function editorTool(tool: TypedTool, version: number): ToolDescription {
  // Since version 20250429 the tool has another name and no `undo_edit`.
  const isOld = version < 20250429;
  const commands = ["view", "create", "str_replace", "insert", ...(isOld ? ["undo_edit"] : [])];
  const limit = typeof tool.max_characters === "number"
    ? ` view shows at most ${tool.max_characters} characters of a file.`
    : "";
  return {
    name: isOld ? "str_replace_editor" : "str_replace_based_edit_tool",
    description:
      "Views and edits text files. view shows a file with line numbers, or lists a directory; create writes a new " +
      "file; str_replace replaces a text that occurs exactly once; insert inserts text after a line" +
      `${isOld ? "; undo_edit reverts the last edit of a file" : ""}.${limit}`,
    properties: {
      command: choice(commands, "The operation"),
      path: text("Absolute path of the file; for view also of a directory"),
      ...EDIT_PROPERTIES,
      // Versions before 20250429 take the inserted text in `new_str` as well.
      ...(isOld
        ? { new_str: text("For str_replace: the replacement; for insert: the text to insert") }
        : { insert_text: text("For insert: the text to insert") }),
      view_range: VIEW_RANGE,
    },
    required: ["command", "path"],
  };
}

const MEMORY_TOOL: ToolDescription = {
  name: "memory",
  description:
    "Keeps notes in files below /memories that persist beyond this conversation. Check them with view before you " +
    "begin a task, and write down what a later conversation will need: this one may end at any time. view shows a " +
    "file or lists a directory; create writes a file; str_replace replaces a text that occurs exactly once; insert " +
    "inserts text after a line; delete removes a file or directory; rename moves one.",
  properties: {
    command: choice(["view", "create", "str_replace", "insert", "delete", "rename"], "The operation"),
    path: text("The file or directory, below /memories; for every command but rename"),
    ...EDIT_PROPERTIES,
    insert_text: text("For insert: the text to insert"),
    view_range: VIEW_RANGE,
    old_path: text("For rename: the current path"),
    new_path: text("For rename: the new path"),
  },
  required: ["command"],
};

// ---- computer

const ACTIONS = [
  "screenshot",
  "cursor_position",
  "mouse_move",
  "left_click",
  "right_click",
  "middle_click",
  "double_click",
  "left_click_drag",
  "key",
  "type",
];
const LATER_ACTIONS = ["triple_click", "left_mouse_down", "left_mouse_up", "scroll", "hold_key", "wait"];

function computerTool(tool: TypedTool, version: number): ToolDescription {
  const isLater = version >= 20250124;
  const canZoom = version >= 20251124 && tool.enable_zoom === true;
  const actions = [...ACTIONS, ...(isLater ? LATER_ACTIONS : []), ...(canZoom ? ["zoom"] : [])];
  const { display_width_px: width, display_height_px: height } = tool;
  const display = typeof tool.display_number === "number" ? ` (display ${tool.display_number})` : "";
  return {
    name: "computer",
    description:
      `Controls a computer${display} through its screen, mouse and keyboard. The screen is ${width} pixels wide and ` +
      `${height} pixels high; coordinates are [x, y] from its upper left corner. Take a screenshot before you click, ` +
      "and another one to see the result.",
    properties: {
      action: choice(actions, "The action"),
      coordinate: integers(2, "Position as [x, y], for mouse_move, clicks and scroll; for a drag, its end"),
      text: text("For type: the text to type; for key and hold_key: the key or combination, such as ctrl+s"),
      ...(isLater && {
        start_coordinate: integers(2, "For left_click_drag: the start of the drag, as [x, y]"),
        scroll_direction: choice(["up", "down", "left", "right"], "For scroll: the direction"),
        scroll_amount: integer("For scroll: the number of wheel clicks"),
        duration: { type: "number", description: "For hold_key and wait: the duration in seconds" },
      }),
      ...(canZoom && { region: integers(4, "For zoom: the region to enlarge, as [x0, y0, x1, y1]") }),
    },
    required: ["action"],
  };
}
