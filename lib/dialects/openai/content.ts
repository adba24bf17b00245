import { isObject } from "../../json.ts";
import type { Delta } from "./chunk.ts";

/** Reads the content of a delta, plain or in parts: what is said, and what is thought. */
export function readContent({ content }: Delta): { text: string; thought: string } {
  if (!Array.isArray(content)) return { text: content ?? "", thought: "" };
  const all = (type: "text" | "thinking") =>
    content.filter((part) => part.type === type).map((part) => toText(part[type])).join("");
  return { text: all("text"), thought: all("thinking") };
}

/** Text that hosts send plain, or once more as a list of text parts. */
function toText(value: unknown): string {
  if (typeof value === "string") return value;
  if (!Array.isArray(value)) return "";
  return value.map((part) => isObject(part) ? toText(part.text) : "").join("");
}
