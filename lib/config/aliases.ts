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
};

/** Target of an alias; `fallbacks` are tried in order if its model fails. */
export type Alias = Target & { fallbacks?: readonly (string | Target)[] };

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
          const message = `alias ${quote(name)} ${unknownKey(input[name]) ?? ALIAS_HINT}`;
          addIssue({ message, path: issuePath(name) });
        }
      }
      return aliases.size === read.length ? aliases : NEVER;
    }),
  );
  return withForm(schema, FORM);
}

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

const ALIAS_FORM = {
  ...TARGET_FORM,
  properties: {
    ...TARGET_FIELDS,
    fallbacks: { type: "array", items: { anyOf: [{ type: "string" }, TARGET_FORM] } },
  },
};

/** JSON Schema of the setting: aliases by name, or their JSON. */
const FORM = {
  anyOf: [
    { type: "object", additionalProperties: { anyOf: [{ type: "string" }, ALIAS_FORM] } },
    { type: "string" },
  ],
};

const ALIAS_HINT =
  'must have a name and be "model" or {"model": "…"}, optionally with "upstream" (string), "options" (object), "cache_control" (true or false) and "fallbacks" (list of models)';

const Name = text("a name");

const Options = v.pipe(v.custom<object>(isObject), v.record(v.string(), v.unknown()));

const target = {
  model: text("a model"),
  upstream: v.optional(text("an upstream")),
  options: v.optional(Options),
  cache_control: v.optional(v.boolean()),
};

const Fallback = v.union([text("a model"), v.strictObject(target)]);

/** Returns the mistake of the first unknown key of an alias or its fallbacks, if there is one. */
function unknownKey(alias: unknown): string | undefined {
  if (!isObject(alias)) return undefined;
  const fallbacks = Array.isArray(alias.fallbacks) ? alias.fallbacks.filter(isObject) : [];
  const keys = Object.keys(target);
  const found = [
    [alias, [...keys, "fallbacks"], ""] as const,
    ...fallbacks.map((fallback) => [fallback, keys, " in a fallback"] as const),
  ].flatMap(([one, known, where]) =>
    Object.keys(one).filter((key) => !known.includes(key)).map((key) => ({ key, known, where }))
  )[0];
  return found && `has an unknown key ${quote(found.key)}${found.where}${nameHint(found.key, found.known)}`;
}

const AliasTarget = v.union([
  v.pipe(text("a model"), v.transform((model): Alias => ({ model }))),
  v.strictObject({ ...target, fallbacks: v.optional(v.array(Fallback)) }),
]);
