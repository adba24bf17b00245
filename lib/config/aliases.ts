import * as v from "valibot";
import { quote } from "../base/redact.ts";
import { isObject, tryJson } from "../base/json.ts";
import { withForm } from "./json_form.ts";
import { nameHint } from "./nearest.ts";
import { issuePath, type Schema, text } from "./schemas.ts";

/** A model, its upstream and the options of its requests. */
export type Target = {
  model: string;
  upstream?: string;
  options?: Record<string, unknown>;
  /** False for a model whose host rejects cache breakpoints. Default: true. */
  cache_control?: boolean;
  /** Share of the requests among the `targets` of an alias. Default: 1. */
  weight?: number;
};

/**
 * Target of an alias, or targets that share its requests by weight. `fallbacks` are tried in order if they fail.
 */
export type Alias =
  & (Target & { targets?: undefined } | { targets: readonly (string | Target)[]; model?: undefined })
  & { fallbacks?: readonly (string | Target)[] };

/** Returns the targets of an alias: those of a group share the requests, and the groups are tried in order. */
export function toTargetGroups(alias: Alias): Target[][] {
  const first = alias.targets === undefined ? [alias] : alias.targets;
  return [first, ...(alias.fallbacks ?? []).map((fallback) => [fallback])].map((group) =>
    group.map((target) => typeof target === "string" ? { model: target } : target)
  );
}

/** Parses aliases by name. The result is a map, because an object inherits names such as `constructor`. */
export function modelMap(): Schema<
  string | Readonly<Record<string, string | Alias>>,
  ReadonlyMap<string, Alias>
> {
  const schema = v.pipe(
    v.custom<string | Readonly<Record<string, string | Alias>>>(() => true),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const input = typeof dataset.value === "string" ? tryJson(dataset.value) : dataset.value;
      if (!isObject(input)) {
        addIssue({ message: 'expected a JSON object such as {"fast": "openai/gpt-5-mini"}' });
        return NEVER;
      }
      const read = Object.entries(input).map(([name, target]) =>
        [name, v.safeParse(AliasTarget, target)] as const
      );
      const aliases = new Map<string, Alias>();
      for (const [name, target] of read) {
        if (target.success && v.is(Name, name)) aliases.set(name, target.output);
        else {
          const message = `alias ${quote(name)} ${unknownKey(input[name]) ?? hintFor(input[name])}`;
          addIssue({ message, path: issuePath(name) });
        }
      }
      return aliases.size === read.length ? aliases : NEVER;
    }),
  );
  return withForm(schema, FORM);
}

/** Maximum weight of a target. */
const MAX_WEIGHT = 1000;

const TARGET_FIELDS = {
  model: { type: "string" },
  upstream: { type: "string" },
  options: { type: "object" },
  cache_control: { type: "boolean" },
};

const TARGET_FORM = {
  type: "object",
  properties: TARGET_FIELDS,
  required: ["model"],
  additionalProperties: false,
};

const WEIGHTED_FORM = {
  ...TARGET_FORM,
  properties: { ...TARGET_FIELDS, weight: { type: "integer", minimum: 1, maximum: MAX_WEIGHT } },
};

const FALLBACKS_FORM = { type: "array", items: { anyOf: [{ type: "string" }, TARGET_FORM] } };

const ALIAS_FORM = {
  ...TARGET_FORM,
  properties: { ...TARGET_FIELDS, fallbacks: FALLBACKS_FORM },
};

const SHARED_ALIAS_FORM = {
  type: "object",
  properties: {
    targets: { type: "array", minItems: 1, items: { anyOf: [{ type: "string" }, WEIGHTED_FORM] } },
    fallbacks: FALLBACKS_FORM,
  },
  required: ["targets"],
  additionalProperties: false,
};

/** JSON Schema of the setting: aliases by name, or their JSON. */
const FORM = {
  anyOf: [
    { type: "object", additionalProperties: { anyOf: [{ type: "string" }, ALIAS_FORM, SHARED_ALIAS_FORM] } },
    { type: "string" },
  ],
};

const ALIAS_HINT =
  'must have a name and be "model" or {"model": "…"}, optionally with "upstream" (string), "options" (object), "cache_control" (true or false) and "fallbacks" (list of models)';

const TARGETS_HINT =
  'must have a name and "targets", a list of models, each optionally with "upstream", "options", "cache_control" and "weight" (1 to 1000), and optionally "fallbacks" (list of models)';

function hintFor(alias: unknown): string {
  return isObject(alias) && alias.targets !== undefined ? TARGETS_HINT : ALIAS_HINT;
}

const Name = text("a name");

const Options = v.pipe(v.custom<object>(isObject), v.record(v.string(), v.unknown()));

const target = {
  model: text("a model"),
  upstream: v.optional(text("an upstream")),
  options: v.optional(Options),
  cache_control: v.optional(v.boolean()),
};

const weightedTarget = {
  ...target,
  weight: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_WEIGHT))),
};

const Fallbacks = v.optional(v.array(v.union([text("a model"), v.strictObject(target)])));

const Targets = v.pipe(v.array(v.union([text("a model"), v.strictObject(weightedTarget)])), v.minLength(1));

/** Returns the mistake of the first unknown key of an alias, its targets or its fallbacks, if there is one. */
function unknownKey(alias: unknown): string | undefined {
  if (!isObject(alias)) return undefined;
  const [targets, fallbacks] = [alias.targets, alias.fallbacks].map((list) =>
    Array.isArray(list) ? list.filter(isObject) : []
  );
  const keys = Object.keys(target);
  const ownKeys = alias.targets === undefined ? [...keys, "fallbacks", "targets"] : ["targets", "fallbacks"];
  const found = [
    [alias, ownKeys, ""] as const,
    ...(targets ?? []).map((one) => [one, Object.keys(weightedTarget), " in a target"] as const),
    ...(fallbacks ?? []).map((fallback) => [fallback, keys, " in a fallback"] as const),
  ].flatMap(([one, known, where]) =>
    Object.keys(one).filter((key) => !known.includes(key)).map((key) => ({ key, known, where }))
  )[0];
  return found && `has an unknown key ${quote(found.key)}${found.where}${nameHint(found.key, found.known)}`;
}

const AliasTarget = v.union([
  v.pipe(text("a model"), v.transform((model): Alias => ({ model }))),
  v.strictObject({ ...target, fallbacks: Fallbacks }),
  v.strictObject({ targets: Targets, fallbacks: Fallbacks }),
]);
