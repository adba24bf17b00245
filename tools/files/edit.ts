import * as v from "valibot";
import { ToolError } from "../errors.ts";
import { type EditedText, replace, showChanges } from "./replace.ts";
import { requireCurrentRead } from "../session.ts";
import { encodeText, readEditable } from "../formats/text.ts";
import { defineTool } from "../tool.ts";
import { FilePath, ReplacementFields } from "./replacement.ts";

/** Replaces a string in a file. */
export const edit = defineTool({
  name: "Edit",
  description:
    "Replaces a string in a file. The file must have been read before. old_string must match the file exactly, " +
    "including whitespace and without the line numbers of Read, and must occur only once, unless replace_all is set. " +
    "An empty old_string creates a new file.",
  group: "files-write",
  hints: { readOnly: false, destructive: true, idempotent: false, openWorld: false },
  input: v.object({
    file_path: FilePath,
    ...ReplacementFields,
  }),
  aliases: { path: "file_path", old_str: "old_string", new_str: "new_string", new_text: "new_string" },
  async run({ file_path, ...change }, { files, session }) {
    let result: EditedText = { text: change.new_string, changes: [] };
    let created = true;
    const written = await files.write(file_path, (current) => {
      if (current === undefined && change.old_string !== "") {
        throw new ToolError(`Cannot edit ${JSON.stringify(file_path)}: there is no such file`);
      }
      if (current === undefined || (current.bytes.length === 0 && change.old_string === "")) {
        return encodeText(change.new_string);
      }
      requireCurrentRead(session, current);
      const { text, bom } = readEditable(current);
      result = replace({ text, changes: [] }, change);
      created = false;
      return encodeText(result.text, { bom });
    }, session.seen);
    return created
      ? `Created ${written.path}`
      : `Changed ${written.path}, which now reads:\n${showChanges(result)}`;
  },
});
