import fc from "fast-check";
import type { Wire } from "../../kit/json.ts";

/** Options of {@linkcode historyOf}. */
export interface HistoryOptions {
  /** The IDs of calls, of which some are used twice. */
  ids: fc.Arbitrary<string>;
  /** Further blocks of the assistant's answers. */
  answers?: readonly fc.Arbitrary<Wire>[];
}

/**
 * Any order of messages, with calls and results that fit together or not. Each result is "Bees." or the image "AAAA".
 */
export function historyOf({ ids, answers = [] }: HistoryOptions): fc.Arbitrary<Wire[]> {
  const text = fc.constant<Wire>({ type: "text", text: "Words." });
  const call = ids.map((id): Wire => ({ type: "tool_use", id, name: "read", input: {} }));
  const result = fc.tuple(ids, fc.constantFrom<Wire[]>("Bees.", "", undefined, [IMAGE]), fc.boolean()).map((
    [tool_use_id, content, is_error],
  ): Wire => ({ type: "tool_result", tool_use_id, is_error, ...(content !== undefined && { content }) }));
  const message = (role: string, ...kinds: fc.Arbitrary<Wire>[]) =>
    fc.record<Wire>({
      role: fc.constant(role),
      content: fc.oneof(fc.constant("Words."), fc.array(fc.oneof(...kinds), { maxLength: 4 })),
    });
  return fc.array(
    fc.oneof(
      message("user", result, result, text),
      message("assistant", call, text, ...answers),
      fc.record<Wire>({ role: fc.constant("system"), content: fc.constant("Words.") }),
    ),
    { minLength: 1, maxLength: 8 },
  );
}

const IMAGE = { type: "image", source: { type: "base64", media_type: "image/png", data: "AAAA" } };

/** Returns how often the images and the results of a history occur in a value. */
export function countParts(value: unknown): { images: number; results: number } {
  const count = (part: string) => JSON.stringify(value).split(part).length - 1;
  return { images: count("AAAA"), results: count("Bees.") };
}

/** Returns the blocks of a history. */
export function blocksOf(messages: readonly Wire[]): Wire[] {
  return messages.flatMap(({ content }) => Array.isArray(content) ? content : []);
}
