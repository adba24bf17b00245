import { isObject, tryJson } from "../base/json.ts";
import { fileExists } from "../runtime/files.ts";
import { openLines, readLines, replaceFile } from "../runtime/json_lines.ts";

/** A request of a batch file. */
export interface BatchLine {
  customId: string;
  /** The body of a request for a message, as JSON. */
  params: string;
}

/** Thrown if a batch file cannot be used. The message has the number of the line. */
export class BatchFileError extends Error {
  override name = "BatchFileError";
}

/**
 * Reads the requests of a batch file: lines of `{"custom_id": "...", "params": {...}}`.
 *
 * @throws {BatchFileError} if a line is something else, or if the file cannot be read.
 */
export async function* readBatchFile(path: string): AsyncGenerator<BatchLine> {
  try {
    for await (const { number, text } of readLines(path)) {
      const value = tryJson(text);
      const { custom_id: customId, params } = isObject(value) ? value : {};
      if (typeof customId !== "string" || !/^[a-zA-Z0-9_-]{1,64}$/.test(customId) || !isObject(params)) {
        throw new BatchFileError(
          `Cannot use line ${number} of "${path}": expected {"custom_id": "...", "params": {...}} with an id of at most 64 letters, digits, "_" and "-"`,
        );
      }
      yield { customId, params: JSON.stringify(params) };
    }
  } catch (cause) {
    if (cause instanceof BatchFileError) throw cause;
    const why = cause instanceof Error && "code" in cause && cause.code === "ENOENT"
      ? "there is no such file"
      : "it cannot be read";
    throw new BatchFileError(`Cannot use "${path}": ${why}`, { cause });
  }
}

/**
 * Checks all lines of a batch file. Returns the number of its requests.
 *
 * @throws {BatchFileError} if two requests have the same id, or there is none.
 */
export async function checkBatchFile(path: string): Promise<number> {
  const ids = new Set<string>();
  for await (const { customId } of readBatchFile(path)) {
    if (ids.has(customId)) {
      throw new BatchFileError(`Cannot use "${path}": two lines have the custom_id "${customId}"`);
    }
    ids.add(customId);
  }
  if (ids.size === 0) throw new BatchFileError(`Cannot use "${path}": it has no requests`);
  return ids.size;
}

/**
 * Reads the results of an earlier run, and removes from their file the failures, which are tried again, and a last line
 * that was cut. Returns the ids that have succeeded.
 */
export async function keepSucceeded(path: string): Promise<ReadonlySet<string>> {
  const succeeded = new Set<string>();
  if (!fileExists(path)) return succeeded;
  const kept = `${path}.new`;
  const lines = await openLines(kept);
  for await (const { text } of readLines(path)) {
    const value = tryJson(text);
    const { custom_id: id, result } = isObject(value) ? value : {};
    if (typeof id !== "string" || !isObject(result) || result.type !== "succeeded") continue;
    succeeded.add(id);
    await lines.write(text);
  }
  await lines.close();
  await replaceFile(path, kept);
  return succeeded;
}
