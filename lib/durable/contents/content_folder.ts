import {
  createContent,
  listUnchanged,
  readContent,
  removeContent,
  streamContent,
} from "../../runtime/content_files.ts";
import type { Contents } from "./contents.ts";
import type { Database } from "../database.ts";

/** Creates the contents of a folder: a file for each. Their descriptions are in the database. */
export function createContentFolder(folder: string, database: Database): Contents {
  const toPath = (id: string) => `${folder}/${id}`;
  return {
    create: (id) => createContent(toPath(id)),
    read: (id) => readContent(toPath(id)),
    stream: (id, size) => streamContent(toPath(id), size),
    remove: (id) => removeContent(toPath(id)),
    async removeLeftovers(before) {
      for (const name of await listUnchanged(folder, before)) {
        const isKnown = await database.get("SELECT 1 FROM files WHERE id = ?", name) !== undefined;
        if (!isKnown) await removeContent(toPath(name));
      }
    },
  };
}
