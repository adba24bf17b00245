import * as v from "valibot";
import { ToolError } from "../errors.ts";
import {
  type Cell,
  createCell,
  deleteCell,
  findCell,
  insertCell,
  newCellId,
  type Notebook,
  parseNotebook,
  replaceCell,
  splitLines,
} from "../formats/notebook.ts";
import { requireCurrentRead } from "../session.ts";
import { encodeText } from "../formats/text.ts";
import { defineTool } from "../tool.ts";

const Input = v.object({
  file_path: v.pipe(
    v.string(),
    v.minLength(1),
    v.description("The path of the notebook, relative to the workspace or absolute"),
  ),
  cell_id: v.optional(
    v.pipe(
      v.string(),
      v.description("The id of the cell. A new cell is inserted after it; without it, at the beginning"),
    ),
  ),
  cell_index: v.optional(
    v.pipe(
      v.number(),
      v.integer(),
      v.minValue(0),
      v.description("The index of the cell, from 0, instead of cell_id. A new cell gets this index"),
    ),
  ),
  new_source: v.optional(
    v.pipe(v.string(), v.description("The new source of the cell; not needed to delete a cell")),
  ),
  cell_type: v.optional(
    v.pipe(
      v.picklist(["code", "markdown", "raw"]),
      v.description("The type of a new cell, or the new type of a replaced cell"),
    ),
  ),
  edit_mode: v.optional(
    v.pipe(
      v.picklist(["replace", "insert", "delete"]),
      v.description("What to do. Default: replace"),
    ),
  ),
});

/** Changes a cell of a notebook. */
export const notebookEdit = defineTool({
  name: "NotebookEdit",
  description:
    "Replaces, inserts or deletes one cell of a Jupyter notebook (.ipynb), which must have been read " +
    "before. The outputs of a replaced code cell are removed, because they are out of date.",
  group: "files-write",
  hints: { readOnly: false, destructive: true, idempotent: false, openWorld: false },
  input: Input,
  aliases: {
    notebook_path: "file_path",
    path: "file_path",
    cell_number: "cell_index",
    new_content: "new_source",
    content: "new_source",
    mode: "edit_mode",
  },
  async run(input, { files, session }) {
    let summary = "";
    const written = await files.write(input.file_path, (current) => {
      if (current === undefined) {
        throw new ToolError(`Cannot edit ${JSON.stringify(input.file_path)}: there is no such file`);
      }
      requireCurrentRead(session, current);
      const notebook = parseNotebook(current);
      const result = applyChange(notebook, input);
      summary = result.summary;
      return encodeText(result.text, notebook);
    }, session.seen);
    return `${summary} in ${written.path}`;
  },
});

function applyChange(
  notebook: Notebook,
  input: v.InferOutput<typeof Input>,
): { text: string; summary: string } {
  const { cell_id: id, cell_index: index, new_source: source, cell_type: type, edit_mode = "replace" } =
    input;
  const unspecified = id === undefined && index === undefined;
  if (edit_mode !== "insert" && unspecified) {
    throw new ToolError("Cannot edit the notebook: cell_id or cell_index is required");
  }
  if (edit_mode === "delete") {
    const at = findCell(notebook, { id, index });
    return { text: deleteCell(notebook, at), summary: `Deleted cell ${at}` };
  }
  if (source === undefined) throw new ToolError("Cannot edit the notebook: new_source is required");
  if (edit_mode === "insert") {
    const at = unspecified ? 0 : insertIndex(notebook, { id, index });
    const cell = createCell({ type: type ?? "code", source, id: newCellId(notebook) });
    const idNote = cell.id === undefined ? "" : `, id "${cell.id}",`;
    return { text: insertCell(notebook, at, cell), summary: `Inserted cell ${at}${idNote}` };
  }
  const at = findCell(notebook, { id, index });
  const cell = notebook.cells[at];
  if (cell === undefined) throw new Error(`Cannot replace cell ${at}: it does not exist`);
  return {
    text: replaceCell(notebook, at, withSource(cell, { source, type })),
    summary: `Replaced cell ${at}`,
  };
}

/** Returns the index of a new cell: after the cell with the id, or the given index, which may be one past the last. */
function insertIndex(
  notebook: Notebook,
  { id, index }: { id: string | undefined; index: number | undefined },
): number {
  if (id !== undefined) return findCell(notebook, { id }) + 1;
  return index === notebook.cells.length ? index : findCell(notebook, { index });
}

/** Returns a cell with a new source and type. The outputs are emptied; a cell that is not code has none. */
function withSource(cell: Cell, { source, type }: { source: string; type: string | undefined }): Cell {
  const { outputs: _, execution_count: __, ...rest } = cell;
  const cell_type = type ?? cell.cell_type;
  const lines = typeof cell.source === "string" ? source : splitLines(source);
  return cell_type === "code"
    ? { ...rest, cell_type, source: lines, execution_count: null, outputs: [] }
    : { ...rest, cell_type, source: lines };
}
