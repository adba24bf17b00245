import * as v from "valibot";
import { ToolError } from "../errors.ts";
import { type EditedText, replace, showChanges } from "./replace.ts";
import { requireCurrentRead } from "../session.ts";
import { encodeText, pluralize, readEditable } from "../formats/text.ts";
import { defineTool } from "../tool.ts";
import { FilePath, ReplacementFields } from "./replacement.ts";

/** Replaces several strings in a file. If one replacement fails, none is made. */
export const multiEdit = defineTool({
  name: "MultiEdit",
  description:
    "Replaces several strings in one file, one after the other; each edit applies to the result of the edits before " +
    "it. If one of them fails, none is made. Each follows the rules of Edit, and the file must have been read before.",
  group: "files-write",
  hints: { readOnly: false, destructive: true, idempotent: false, openWorld: false },
  input: v.object({
    file_path: FilePath,
    edits: v.pipe(
      v.array(v.object(ReplacementFields)),
      v.minLength(1),
      v.maxLength(100),
      v.description("The replacements, in this order"),
    ),
  }),
  aliases: { path: "file_path" },
  async run({ file_path, edits }, { files, session }) {
    let result: EditedText = { text: "", changes: [] };
    const written = await files.write(file_path, (current) => {
      if (current !== undefined) requireCurrentRead(session, current);
      const { text, bom } = current === undefined ? { text: "", bom: false } : readEditable(current);
      result = { text, changes: [] };
      for (const [index, edit] of edits.entries()) {
        const fillsEmptyFile = index === 0 && text === "" && edit.old_string === "";
        if (current === undefined && index === 0 && !fillsEmptyFile) {
          throw new ToolError(`Cannot edit ${JSON.stringify(file_path)}: there is no such file`);
        }
        result = fillsEmptyFile
          ? { text: edit.new_string, changes: [{ start: 0, end: edit.new_string.length }] }
          : applyEdit(result, { edit, index, total: edits.length });
      }
      return encodeText(result.text, { bom });
    }, session.seen);
    return `Made ${pluralize(edits.length, "edit")} in ${written.path}, which now reads:\n${
      showChanges(result)
    }`;
  },
});

/**
 * Makes one of the edits.
 *
 * @throws {ToolError} with the number of the edit, if it fails.
 */
function applyEdit(
  before: EditedText,
  { edit, index, total }: { edit: Parameters<typeof replace>[1]; index: number; total: number },
): EditedText {
  try {
    return replace(before, edit);
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    throw new ToolError(`${error.message} (edit ${index + 1} of ${total}; none was made)`, {
      cause: error,
    });
  }
}
