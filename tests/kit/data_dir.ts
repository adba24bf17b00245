import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { NoSqliteError, openDatabase } from "../../lib/runtime/sqlite.ts";

/** Reason why tests that need `DATA_DIR` are skipped; false if they run. */
export const NO_SQLITE: string | false = whyNoSqlite();

/** Returns a function that names a new folder each time. All are removed after the tests of the file. */
export function createFolders(): () => string {
  const root = mkdtempSync(join(tmpdir(), "data-dir-"));
  let count = 0;
  after(() => rmSync(root, { recursive: true, force: true }));
  return () => join(root, String(count++), "data");
}

function whyNoSqlite(): string | false {
  try {
    openDatabase(":memory:").close();
    return false;
  } catch (error) {
    if (error instanceof NoSqliteError) return error.message;
    throw error;
  }
}
