/** A reason why a value is not valid. */
export interface Complaint {
  /** JSON pointer to the part of the value that is wrong, or missing. */
  path: string;
  /** What the schema requires there, such as `must be integer`. It quotes the schema, never the value. */
  message: string;
  /** Set if the value is probably meant for another schema: it has another type, or is not one of the choices. */
  mismatch?: "type" | "choice" | undefined;
}

/** Maximum number of complaints about one value. */
export const MAX_COMPLAINTS = 20;

/** Writes a value of a schema for a complaint, shortened. */
export function quote(value: unknown): string {
  // A long text may be in thousands of complaints, and is cut before it is escaped.
  if (typeof value === "string") return shorten(JSON.stringify(value.slice(0, MAX_QUOTED_CHARS + 1)));
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "";
  let text = QUOTES.get(value);
  if (text === undefined) QUOTES.set(value, text = shorten(JSON.stringify(value)));
  return text;
}

/** Quotes of lists and objects: the same one may be in thousands of complaints. */
const QUOTES = new WeakMap<object, string>();
const MAX_QUOTED_CHARS = 100;

function shorten(text: string): string {
  return text.length > MAX_QUOTED_CHARS ? `${text.slice(0, MAX_QUOTED_CHARS).toWellFormed()}…` : text;
}
