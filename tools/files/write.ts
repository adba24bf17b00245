import * as v from "valibot";
import { requireCurrentRead } from "../session.ts";
import { encodeText, pluralize, toLines } from "../formats/text.ts";
import { FilePath } from "./replacement.ts";
import { defineTool } from "../tool.ts";

/** Writes a whole file. */
export const write = defineTool({
  name: "Write",
  description:
    "Writes a whole file, and creates missing folders. An existing file is replaced; it must have been read before. " +
    "To change a part of a file, use Edit.",
  group: "files-write",
  hints: { readOnly: false, destructive: true, idempotent: true, openWorld: false },
  input: v.object({
    file_path: FilePath,
    content: v.pipe(v.string(), v.description("The whole content of the file")),
  }),
  aliases: { path: "file_path", filename: "file_path", contents: "content", text: "content" },
  async run({ file_path, content }, { files, session }) {
    let replaced = false;
    const written = await files.write(file_path, (current) => {
      if (current !== undefined) requireCurrentRead(session, current);
      replaced = current !== undefined;
      return encodeText(content);
    }, session.seen);
    const size = `${pluralize(toLines(content).length, "line")}, ${pluralize(written.bytes.length, "byte")}`;
    return `${replaced ? "Replaced" : "Created"} ${written.path} (${size})`;
  },
});
