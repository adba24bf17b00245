import { isObject, type JsonObject } from "../../../base/json.ts";
import type { CacheMark, InputPart, ResponsesContext } from "../responses.ts";

/**
 * Returns the mark for the part of a block with `cache_control`, to be spread into the part.
 *
 * Reports the block's `cache_control` if the model has no marks, and its lifetime, which the host sets.
 */
export function cacheMark({ cache_control }: JsonObject, path: string, context: ResponsesContext): CacheMark {
  if (!isObject(cache_control)) return {};
  if (!context.cache.supported) {
    context.loss.add(`${path}.cache_control`, "dropped");
    return {};
  }
  if (cache_control.ttl) context.loss.add(`${path}.cache_control.ttl`, "approximated");
  context.cache.used = true;
  return { prompt_cache_breakpoint: { mode: "explicit" } };
}

/** Reports the `cache_control` of a block that no host can mark: a tool, or a part of an earlier answer. */
export function reportUnmarked(
  { cache_control }: JsonObject,
  path: string,
  { loss }: ResponsesContext,
): void {
  if (cache_control) loss.add(`${path}.cache_control`, "dropped");
}

/** Marks the last of several parts. */
export function markLast(parts: readonly InputPart[], mark: CacheMark): InputPart[] {
  return parts.map((part, at) => at === parts.length - 1 ? { ...part, ...mark } : part);
}
