import * as v from "valibot";
import { tryJson } from "../base/json.ts";
import { Recording } from "../observability/recording.ts";
import { FileError, readTextFile } from "../runtime/files.ts";

/** Reads a recording. @throws {FileError} if the file cannot be read, or is no recording of this version. */
export function readRecording(file: string): Recording {
  const parsed = v.safeParse(Recording, tryJson(readTextFile(file)));
  if (!parsed.success) throw new FileError("it is not a recording of this version");
  return parsed.output;
}
