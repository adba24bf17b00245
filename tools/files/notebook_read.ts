import * as v from "valibot";
import { findCell, parseNotebook } from "../formats/notebook.ts";
import { showNotebook } from "../formats/notebook_view.ts";
import { defineTool } from "../tool.ts";

/** Reads a notebook, or one cell of it. */
export const notebookRead = defineTool({
  name: "NotebookRead",
  description:
    "Reads a Jupyter notebook (.ipynb): its cells with their ids and outputs. With cell_id or cell_index, reads only " +
    "that cell.",
  group: "files-read",
  hints: { readOnly: true, openWorld: false },
  input: v.object({
    file_path: v.pipe(
      v.string(),
      v.minLength(1),
      v.description("The path of the notebook, relative to the workspace or absolute"),
    ),
    cell_id: v.optional(v.pipe(v.string(), v.description("The id of the cell to read"))),
    cell_index: v.optional(
      v.pipe(
        v.number(),
        v.integer(),
        v.minValue(0),
        v.description("The index of the cell to read, from 0"),
      ),
    ),
  }),
  aliases: { notebook_path: "file_path", path: "file_path", cell_number: "cell_index" },
  async run({ file_path, cell_id, cell_index }, { files, session }) {
    const file = await files.read(file_path);
    const notebook = parseNotebook(file);
    session.seen.set(file.path, file.version);
    const all = cell_id === undefined && cell_index === undefined;
    return showNotebook(notebook, {
      cell: all ? undefined : findCell(notebook, { id: cell_id, index: cell_index }),
    });
  },
});
