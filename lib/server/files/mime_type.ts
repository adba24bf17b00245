/** Types by the ending of a name, for uploads that declare none. */
const TYPES: ReadonlyMap<string, string> = new Map([
  ["pdf", "application/pdf"],
  ["txt", "text/plain"],
  ["md", "text/markdown"],
  ["csv", "text/csv"],
  ["html", "text/html"],
  ["xml", "application/xml"],
  ["json", "application/json"],
  ["png", "image/png"],
  ["jpg", "image/jpeg"],
  ["jpeg", "image/jpeg"],
  ["gif", "image/gif"],
  ["webp", "image/webp"],
]);

/**
 * Returns the type of an upload: as declared or, if it is not, by the ending of its name.
 *
 * @example Usage
 * ```ts
 * import { toMimeType } from "./mime_type.ts";
 *
 * if (toMimeType("application/octet-stream", "a.PDF") !== "application/pdf") throw new Error("unexpected type");
 * ```
 */
export function toMimeType(declared: string | undefined, filename: string): string {
  const type = declared?.split(";")[0]?.trim().toLowerCase() ?? "";
  if (/^[\w.+-]{1,100}\/[\w.+-]{1,100}$/.test(type) && type !== UNKNOWN) return type;
  return TYPES.get(filename.split(".").at(-1)?.toLowerCase() ?? "") ?? UNKNOWN;
}

const UNKNOWN = "application/octet-stream";
