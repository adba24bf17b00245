import { isObject } from "../../base/json.ts";
import type { LossReport } from "../loss.ts";

/**
 * Replaces lone surrogates, halves of characters that a cut text may have, by U+FFFD in all texts of a value.
 *
 * Hosts reject JSON with a lone surrogate, also as an escape. Each repaired text is reported as `repaired`. If there is
 * nothing to repair, the same object is returned.
 *
 * @example Usage
 * ```ts
 * import { LossReport } from "../loss.ts";
 * import { toWellFormed } from "./well_formed.ts";
 *
 * const loss = new LossReport();
 * const { content } = toWellFormed({ content: "cut \ud83d" }, loss);
 * if (content !== "cut \ufffd" || loss.toHeader() !== "content;repaired") throw new Error(content);
 * ```
 */
export function toWellFormed<Value extends object>(value: Value, loss: LossReport): Value {
  return marked.has(value) || isWellFormed(value) ? value : repair(value, "", loss) as Value;
}

const marked = new WeakSet<object>();

/**
 * Marks a value all of whose texts are known to be well-formed, so that {@linkcode toWellFormed} does not look at them
 * again. It must not be changed in place. Copies have no mark.
 */
export function markWellFormed(value: object): void {
  marked.add(value);
}

function isWellFormed(value: unknown): boolean {
  if (typeof value === "string") return value.isWellFormed();
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at++) if (!isWellFormed(value[at])) return false;
    return true;
  }
  if (!isObject(value)) return true;
  for (const name in value) {
    if (!name.isWellFormed() || !isWellFormed(value[name])) return false;
  }
  return true;
}

function repair(value: unknown, path: string, loss: LossReport): unknown {
  if (typeof value === "string") {
    if (value.isWellFormed()) return value;
    loss.add(path, "repaired");
    return value.toWellFormed();
  }
  if (Array.isArray(value)) {
    let repaired: unknown[] | undefined;
    for (let at = 0; at < value.length; at++) {
      const item = repair(value[at], path === "" ? String(at) : `${path}.${at}`, loss);
      if (item !== value[at]) (repaired ??= [...value])[at] = item;
    }
    return repaired ?? value;
  }
  if (!isObject(value)) return value;
  let changed = false;
  const entries = Object.entries(value).map(([name, item]): [string, unknown] => {
    const itemPath = path === "" ? name : `${path}.${name}`;
    const repaired = repair(item, itemPath, loss);
    const legal = name.isWellFormed();
    if (!legal) loss.add(itemPath, "repaired");
    changed ||= repaired !== item || !legal;
    return [legal ? name : name.toWellFormed(), repaired];
  });
  return changed ? Object.fromEntries(entries) : value;
}
