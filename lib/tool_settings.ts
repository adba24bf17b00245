import * as v from "valibot";
import type { Group } from "../tools/call.ts";
import type { Schema } from "./values.ts";

/** The groups of tools that an owner can switch on. */
const GROUPS: readonly Group[] = ["files-read", "files-write", "shell", "network"];

/** Groups of tools, separated by commas or as a list. */
export function toolGroups(): Schema<string | readonly string[], ReadonlySet<Group>> {
  const allowed = `expected words of ${GROUPS.join(", ")}, separated by commas`;
  return v.pipe(
    v.union([
      v.pipe(v.string(), v.transform((text) => text.split(",").map((word) => word.trim()))),
      v.array(v.string()),
    ], allowed),
    v.array(v.picklist(GROUPS, allowed)),
    v.transform((groups) => new Set(groups)),
  );
}

/** Hosts with their ports, `192.168.0.10:8080`. */
export function hostAndPort(): Schema<string, string> {
  const allowed = 'expected hosts with their ports such as "localhost:8080", separated by commas';
  return v.pipe(
    v.string(allowed),
    v.check((value) => /^(\[[\da-f:.]+\]|[^\s:/@?#[\]]+):\d{1,5}$/i.test(value), allowed),
    v.toLowerCase(),
  );
}

/** The path of a folder, from the root of the file system. */
export function folder(): Schema<string, string> {
  const allowed = "expected the path of a folder, beginning with /";
  return v.pipe(v.string(allowed), v.regex(/^\/[^\0]*$/, allowed));
}
