import type { Road } from "./stage.ts";
import type { Thinking } from "../../kit/model/turns.ts";
import { toDetails } from "../../kit/model/write_chat.ts";

/** How the upstream of a road must get its own thinking back: all of it, and as it said it. */
export function toReturned(
  { pieces, signature, sealed }: Thinking,
  { name }: Pick<Road, "name">,
): unknown[] {
  if (name === "translated") return toDetails({ pieces, signature, sealed });
  const thinking = { type: "thinking", thinking: pieces.join(""), signature };
  return sealed === undefined ? [thinking] : [thinking, { type: "redacted_thinking", data: sealed }];
}
