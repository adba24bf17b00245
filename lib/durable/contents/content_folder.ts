import { StoreError } from "../../base/store_error.ts";
import {
  createContent,
  listUnchanged,
  readContent,
  removeContent,
  streamContent,
} from "../../runtime/content_files.ts";
import { describeFileError } from "../../runtime/file_errors.ts";
import type { Contents } from "./contents.ts";
import type { Database } from "../database.ts";

/** Creates the contents of a folder: a file for each. Their descriptions are in the database. */
export function createContentFolder(folder: string, database: Database): Contents {
  const toPath = (id: string) => `${folder}/${id}`;
  return {
    async create(id) {
      const writer = await tryFile(() => createContent(toPath(id)));
      return {
        write: (bytes) => tryFile(() => writer.write(bytes)),
        finish: () => tryFile(() => writer.finish()),
        discard: () => tryFile(() => writer.discard()),
      };
    },
    async read(id, size) {
      const bytes = await tryFile(() => readContent(toPath(id)));
      return bytes?.length === size ? bytes : undefined;
    },
    stream: (id, size) => streamContent(toPath(id), size),
    remove: (id) => tryFile(() => removeContent(toPath(id))),
    async removeLeftovers(before) {
      for (const name of await listUnchanged(folder, before)) {
        const isKnown = await database.get("SELECT 1 FROM files WHERE id = ?", name) !== undefined;
        if (!isKnown) await removeContent(toPath(name));
      }
    },
  };
}

/** Runs an access to a file. @throws {StoreError} if the file cannot be read or written. */
async function tryFile<Result>(access: () => Promise<Result>): Promise<Result> {
  try {
    return await access();
  } catch (cause) {
    throw StoreError.failed("data store", { reason: describeFileError(cause), cause });
  }
}
