import { isObject, type JsonObject } from "../base/json.ts";
import { MAX_KEY_CHARS } from "../base/hash/text_key.ts";

/** JSON Schema types, each with the only schema that declares it; `undefined` if several schemas declare it. */
export type AllowedTypes = ReadonlyMap<string, JsonObject | undefined>;

/**
 * Reads which types the parts of a JSON Schema allow.
 *
 * Each part is read once. After {@linkcode MAX_STEPS} steps all further parts count as schemas that allow any type: the
 * time is linear in the schema, however its references and branches are nested.
 *
 * @example Usage
 * ```ts
 * import { SchemaTypes } from "./schema_types.ts";
 *
 * const schema = { anyOf: [{ type: "string" }, { $ref: "#/$defs/n" }], $defs: { n: { type: "number" } } };
 * const types = new SchemaTypes(schema).read(schema);
 * if ([...types?.keys() ?? []].join() !== "number,string") throw new Error("a branch is missing");
 * ```
 */
export class SchemaTypes {
  static readonly #byRoot = new WeakMap<JsonObject, SchemaTypes>();
  readonly #root: JsonObject;
  readonly #types = new Map<JsonObject, AllowedTypes | undefined>();
  readonly #required = new Map<JsonObject, ReadonlySet<unknown>>();
  readonly #nullEnums = new Map<JsonObject, boolean>();
  readonly #references = new Map<string, unknown>();
  #steps = 0;

  constructor(root: JsonObject) {
    this.#root = root;
  }

  /** Returns the reader of a schema. All calls of a tool in a request share it. */
  static of(root: JsonObject): SchemaTypes {
    const found = SchemaTypes.#byRoot.get(root) ?? new SchemaTypes(root);
    SchemaTypes.#byRoot.set(root, found);
    return found;
  }

  /** Returns the types that a part of the schema allows; `undefined` if it allows any type. */
  read(schema: unknown): AllowedTypes | undefined {
    if (!isObject(schema)) return undefined;
    if (!this.#types.has(schema)) this.#types.set(schema, this.#collect(schema));
    return this.#types.get(schema);
  }

  /** True for an optional member of an object schema that does not allow `null`. */
  isLeftOutIfNull(name: string, object: JsonObject): boolean {
    const { properties } = object;
    if (!isObject(properties) || !Object.hasOwn(properties, name)) return false;
    const schema = properties[name];
    if (this.#requiredNames(object).has(name) || (isObject(schema) && this.#hasNullEnum(schema))) {
      return false;
    }
    const allowed = this.read(schema);
    return allowed !== undefined && allowed.size > 0 && !allowed.has("null");
  }

  #requiredNames(object: JsonObject): ReadonlySet<unknown> {
    const { required } = object;
    const listed: readonly unknown[] = Array.isArray(required) ? required : [];
    const names = this.#required.get(object) ?? new Set(listed.filter(isShort));
    this.#required.set(object, names);
    return names;
  }

  #hasNullEnum(schema: JsonObject): boolean {
    const found = this.#nullEnums.get(schema) ?? (Array.isArray(schema.enum) && schema.enum.includes(null));
    this.#nullEnums.set(schema, found);
    return found;
  }

  #collect(schema: JsonObject): AllowedTypes | undefined {
    const types = new Map<string, JsonObject | undefined>();
    const seen = new Set<JsonObject>();
    const pending: unknown[] = [schema];
    while (pending.length > 0) {
      const part = pending.pop();
      if (!isObject(part) || ++this.#steps > MAX_STEPS) return undefined;
      // References may be circular. A part that was already read adds no types.
      if (seen.has(part)) continue;
      seen.add(part);
      const { $ref, type, anyOf, oneOf } = part;
      const branches = anyOf ?? oneOf;
      if (typeof $ref === "string") pending.push(this.#resolve($ref));
      else if (typeof type === "string" || Array.isArray(type)) {
        for (const name of new Set([type].flat().map(String))) {
          types.set(name, types.has(name) ? undefined : part);
        }
      } else if (Array.isArray(branches)) {
        for (const branch of branches) pending.push(branch);
      } else return undefined;
    }
    return types;
  }

  /** Resolves a reference within the schema. Returns `undefined` for any other reference. */
  #resolve(reference: string): unknown {
    if (!this.#references.has(reference)) this.#references.set(reference, this.#follow(reference));
    return this.#references.get(reference);
  }

  #follow(reference: string): unknown {
    const [start, ...steps] = reference.split("/");
    if (start !== "#") return undefined;
    let found: unknown = this.#root;
    for (const step of steps) {
      const name = step.replaceAll("~1", "/").replaceAll("~0", "~");
      found = isObject(found) && Object.hasOwn(found, name) ? found[name] : undefined;
    }
    return found;
  }
}

/** Parts of a schema that are read for a request. Real schemas have at most some thousand. */
const MAX_STEPS = 200_000;

/** True for every name that a member can have: engines look up longer texts slowly (see `text_key.ts`). */
function isShort(name: unknown): boolean {
  return typeof name === "string" && name.length <= MAX_KEY_CHARS;
}
