import { toJsonSchema } from "@valibot/to-json-schema";
import type * as v from "valibot";
import { readChoice } from "../../anthropic/choice.ts";
import type { JsonObject } from "../../base/json.ts";

/** Converts schemas of valibot to JSON Schema, and collects those that have a name. */
export class SchemaWriter {
  /** The named schemas so far, for `components.schemas`. */
  readonly components: Record<string, JsonObject> = {};

  /** Converts a schema. A choice by the value becomes a reference to a component, because it may contain itself. */
  write(schema: v.GenericSchema): JsonObject {
    const { $schema: _, $defs: _replaced, ...json } = toJsonSchema(schema, {
      target: "draft-2020-12",
      errorMode: "ignore",
      overrideSchema: ({ valibotSchema, jsonSchema }) => {
        const choice = readChoice(valibotSchema);
        if (choice !== undefined) return this.#refer(choice);
        if (valibotSchema.type === "lazy") return this.#writeLazy(valibotSchema);
        if (valibotSchema.type === "loose_object") return { ...jsonSchema, additionalProperties: true };
        // The schemas of requests have no other checks by code than for objects.
        return valibotSchema.type === "custom" ? { ...jsonSchema, type: "object" } : jsonSchema;
      },
    });
    return { ...json };
  }

  /** Returns a reference to a component, which is written on its first use. */
  name(name: string, schema: v.GenericSchema): JsonObject {
    return this.#refer({ name, schemas: [schema] });
  }

  #refer({ name, schemas }: { name: string; schemas: readonly v.GenericSchema[] }): JsonObject {
    if (!Object.hasOwn(this.components, name)) {
      this.components[name] = {}; // Ends the recursion of a schema that contains itself.
      const [first = {}, ...others] = schemas.map((schema) => this.write(schema));
      this.components[name] = others.length === 0 ? first : { anyOf: [first, ...others] };
    }
    return { $ref: `#/components/schemas/${name}` };
  }

  /** A lazy schema without a name, such as a bounded list, has one form for all values that it accepts. */
  #writeLazy(schema: object): JsonObject {
    return "getter" in schema && typeof schema.getter === "function"
      ? this.write(schema.getter(undefined))
      : {};
  }
}
