import * as v from "valibot";
import { isObject, type JsonObject } from "../base/json.ts";

/** Adds the JSON Schema of a setting's value in the configuration file, where an editor completes and checks it. */
export function withForm<Input, Value>(
  schema: v.GenericSchema<Input, Value>,
  form: JsonObject,
): v.GenericSchema<Input, Value> {
  return v.pipe(schema, v.metadata({ form }));
}

/**
 * Returns the JSON Schema that was added to a schema.
 *
 * @throws {TypeError} if none was added.
 */
export function formOf(schema: v.GenericSchema): JsonObject {
  const { form } = v.getMetadata(schema);
  if (!isObject(form)) {
    throw new TypeError("Cannot find the JSON Schema of a setting: it was declared without one");
  }
  return form;
}

/** JSON Schema of a text that contains a variable, such as `${NAME}`. */
export const VARIABLE: JsonObject = { type: "string", pattern: "\\$\\{" };

/** Returns the JSON Schema of a value that is not a text, or a text with a variable in its place. */
export function orVariable(form: JsonObject): JsonObject {
  return { anyOf: [form, VARIABLE] };
}

/** JSON Schema of a list of texts, also as one text with commas. */
export function listForm(item: JsonObject = { type: "string" }): JsonObject {
  return { anyOf: [{ type: "array", items: item }, { type: "string" }] };
}
