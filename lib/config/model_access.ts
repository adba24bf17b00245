import * as v from "valibot";
import { quote } from "../base/redact.ts";
import { isObject, tryJson } from "../base/json.ts";
import { withForm } from "./json_form.ts";
import { issuePath, type Schema } from "./schemas.ts";

/** Patterns of allowed models by key name, as given in settings: an object or its JSON. */
export type ModelAccessInput = string | Readonly<Record<string, readonly string[]>>;

/** Name that stands for every key without an entry. */
export const OTHER_KEYS = "*";

/** Parses the allowed models of each key. Each mistake is one line. */
export function modelAccess(): Schema<ModelAccessInput, ReadonlyMap<string, readonly string[]>> {
  const schema = v.pipe(
    v.custom<ModelAccessInput>(() => true),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const given = typeof dataset.value === "string" ? tryJson(dataset.value) : dataset.value;
      if (!isObject(given)) {
        addIssue({ message: 'expected a JSON object such as {"alice": ["openai/*", "fast"]}' });
        return NEVER;
      }
      const access = new Map<string, readonly string[]>();
      for (const [name, patterns] of Object.entries(given)) {
        if (v.is(Patterns, patterns)) access.set(name, patterns);
        else addIssue({ message: `key ${quote(name)} must have a list of models`, path: issuePath(name) });
      }
      return access.size === Object.keys(given).length ? access : NEVER;
    }),
  );
  return withForm(schema, {
    anyOf: [
      { type: "object", additionalProperties: { type: "array", items: { type: "string", minLength: 1 } } },
      { type: "string" },
    ],
  });
}

/** Patterns of allowed models: text on one line. */
export const Patterns: v.GenericSchema<string[], string[]> = v.array(
  v.pipe(v.string(), v.regex(/^[^\s\p{Cc}][^\p{Cc}]*$/u)),
);
