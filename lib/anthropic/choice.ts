import * as v from "valibot";

/** A schema that is chosen by the value. */
interface Choice<Output> extends v.LazySchema<v.GenericSchema<Output>> {
  readonly choice: { readonly name: string; readonly schemas: readonly v.GenericSchema[] };
}

/**
 * Declares a schema that is chosen by the value: its issues are those of one schema, not of all. `name` is that of the
 * choice in JSON Schema, where it is a list of the schemas.
 *
 * @example Usage
 * ```ts
 * import * as v from "valibot";
 * import { choice } from "./choice.ts";
 *
 * const Text: v.GenericSchema<string | string[]> = v.string();
 * const Lines: v.GenericSchema<string | string[]> = v.array(v.string());
 * const Content = choice("Content", [Text, Lines], (input) => Array.isArray(input) ? Lines : Text);
 * if (!v.is(Content, ["a"])) throw new Error("a list is rejected");
 * ```
 */
export function choice<Output>(
  name: string,
  schemas: readonly v.GenericSchema[],
  choose: (input: unknown) => v.GenericSchema<Output>,
): v.GenericSchema<Output> {
  const schema: Choice<Output> = Object.assign(v.lazy(choose), { choice: { name, schemas } });
  return schema;
}

/** Returns the name of a choice and what it chooses from; undefined for any other schema. */
export function readChoice(schema: object): Choice<unknown>["choice"] | undefined {
  return "choice" in schema ? (schema as Choice<unknown>).choice : undefined;
}
