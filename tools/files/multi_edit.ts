import * as v from "valibot";
import { ToolError } from "../errors.ts";
import { replace, type Replaced, showPieces } from "./replace.ts";
import { checkSeen } from "../session.ts";
import { count, encodeText, readEditable } from "../formats/text.ts";
import { defineTool } from "../tool.ts";
import { FilePath, Replacement } from "./replacement.ts";

/** Replaces several pieces of a file, all or none. */
export const multiEdit = defineTool({
  name: "MultiEdit",
  description:
    "Replaces several pieces of one file, one after the other, each in what the ones before it made. " +
    "If one of them cannot be done, none is. Each follows the rules of Edit, and the file must have been read before.",
  group: "files-write",
  input: v.object({
    file_path: FilePath,
    edits: v.pipe(
      v.array(v.object(Replacement)),
      v.minLength(1),
      v.maxLength(100),
      v.description("What to replace, in this order"),
    ),
  }),
  aliases: { path: "file_path" },
  async run({ file_path, edits }, { files, session }) {
    let result: Replaced = { text: "", pieces: [] };
    const written = await files.write(file_path, (current) => {
      if (current !== undefined) checkSeen(session, current);
      const { text, bom } = current === undefined ? { text: "", bom: false } : readEditable(current);
      result = { text, pieces: [] };
      for (const [index, edit] of edits.entries()) {
        const begins = index === 0 && text === "" && edit.old_string === "";
        if (current === undefined && index === 0 && !begins) {
          throw new ToolError(`Cannot edit ${JSON.stringify(file_path)}: there is no such file`);
        }
        result = begins
          ? { text: edit.new_string, pieces: [{ start: 0, end: edit.new_string.length }] }
          : doEdit(result, { edit, index, of: edits.length });
      }
      return encodeText(result.text, { bom });
    }, session.seen);
    return `Made ${count(edits.length, "edit")} in ${written.path}, which now reads:\n${showPieces(result)}`;
  },
});

/** Says which of the edits it is that cannot be done. */
function doEdit(
  before: Replaced,
  { edit, index, of }: { edit: Parameters<typeof replace>[1]; index: number; of: number },
): Replaced {
  try {
    return replace(before, edit);
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    throw new ToolError(`${error.message} (edit ${index + 1} of ${of}; none has been made)`, {
      cause: error,
    });
  }
}
