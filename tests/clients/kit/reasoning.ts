import type { Route } from "./testbed.ts";
import type { Thinking } from "../../kit/model/turns.ts";
import { toDetails } from "../../kit/model/write_chat.ts";

/** The form in which the upstream of a route must receive its own thinking: complete and unchanged. */
export function toReturned(
  { pieces, signature, sealed }: Thinking,
  { name }: Pick<Route, "name">,
): unknown[] {
  if (name === "translated") return toDetails({ pieces, signature, sealed });
  const thinking = { type: "thinking", thinking: pieces.join(""), signature };
  return sealed === undefined ? [thinking] : [thinking, { type: "redacted_thinking", data: sealed }];
}
