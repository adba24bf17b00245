import * as v from "valibot";

/** Issues of a request after which its validation stops. An issue takes a hundred times the memory of `{}`. */
export const MAX_ISSUES = 10;

/**
 * Declares a list of at most `max` items, named as in `at most 10 tools are allowed`.
 *
 * A longer list is rejected before its items are checked. After {@linkcode MAX_ISSUES} issues, no further items are
 * checked.
 *
 * @example Usage
 * ```ts
 * import * as v from "valibot";
 * import { boundedList } from "./bounded_list.ts";
 *
 * const Names = boundedList(v.string(), { max: 2, items: "names" });
 * if (v.is(Names, ["a", "b", "c"])) throw new Error("a third name is accepted");
 * ```
 */
export function boundedList<Item>(
  item: v.GenericSchema<Item>,
  { max, items }: { max: number; items: string },
): v.GenericSchema<Item[]> {
  const list = v.array(item, "Input should be a valid list");
  const stopping: typeof list = {
    ...list,
    "~run": (dataset, config) => runUntilMaxIssues(list, dataset, config),
  };
  const tooLong = v.custom<Item[]>(() => false, `at most ${max} ${items} are allowed`);
  return v.lazy((input) => Array.isArray(input) && input.length > max ? tooLong : stopping);
}

type List<Item> = v.ArraySchema<v.GenericSchema<Item>, string>;

/** Checks the items like valibot's `array`, which has no option to stop after a number of issues. */
function runUntilMaxIssues<Item>(
  list: List<Item>,
  dataset: Parameters<List<Item>["~run"]>[0],
  config: Parameters<List<Item>["~run"]>[1],
): ReturnType<List<Item>["~run"]> {
  const input = dataset.value;
  if (!Array.isArray(input)) return list["~run"](dataset, config);
  const issues: v.BaseIssue<unknown>[] = [];
  for (let key = 0; key < input.length && issues.length < (config.abortEarly ? 1 : MAX_ISSUES); key++) {
    const value: unknown = input[key];
    for (const issue of list.item["~run"]({ value }, config).issues ?? []) {
      const step: v.ArrayPathItem = { type: "array", origin: "value", input, key, value };
      issues.push({ ...issue, path: [step, ...(issue.path ?? [])] });
    }
  }
  const [first, ...others] = issues;
  return first === undefined
    ? { typed: true, value: input }
    : { typed: false, value: input, issues: [first, ...others] };
}
