import { isObject, type JsonObject } from "../base/json.ts";
import { assertKeywords } from "./check/keywords.ts";
import { SUBSCHEMA_KEYWORDS } from "./keywords.ts";
import { compilePattern, type Pattern } from "./pattern.ts";
import { appendStep } from "./pointer.ts";
import { SchemaError } from "./schema_error.ts";
import { ValueIds } from "./value_ids.ts";

/** A part of a document with a URI of its own, by which references find it. */
export interface Resource {
  readonly uri: string;
  /** JSON pointer from the root of the document. */
  readonly pointer: string;
  readonly anchors: Map<string, SchemaNode>;
  readonly dynamicAnchors: Map<string, SchemaNode>;
  /** True for draft 7 and older, in which keywords beside `$ref` have no effect. */
  readonly legacy: boolean;
}

/** A schema within a document. */
export interface SchemaNode {
  /** The schema without the keywords that have no effect. */
  readonly schema: JsonObject | boolean;
  /** JSON pointer from the root of the document. */
  readonly pointer: string;
  readonly resource: Resource;
  /** Subschemas of keywords with one schema. */
  readonly one: Map<string, SchemaNode>;
  /** Subschemas of keywords with a list of schemas. */
  readonly lists: Map<string, readonly SchemaNode[]>;
  /** Subschemas of keywords with schemas by name. */
  readonly maps: Map<string, ReadonlyMap<string, SchemaNode>>;
  readonly pattern: Pattern | undefined;
  /** The patterns of `patternProperties`, with their schemas. */
  readonly patternProperties: { pattern: Pattern; node: SchemaNode }[];
}

/** Limits of a schema. They bound the time of all that is done with it. */
const LIMITS = { subschemas: 10_000, depth: 100, listed: 10_000, patternSize: 50_000 };
/** Base of relative URIs; nothing is loaded from it. */
const BASE_URI = "schema://document/";

/** Index of the subschemas of a document, with their URIs and anchors. */
export class SchemaDocument {
  readonly value: unknown;
  readonly root: SchemaNode;
  /** All subschemas, by their pointers. */
  readonly nodes: Map<string, SchemaNode> = new Map();
  readonly resources: Map<string, Resource> = new Map();
  /** Numbers of the values that are compared: those of `const` and `enum`, and parts of what is checked. */
  readonly ids: ValueIds = new ValueIds();
  /** True if the document has `$dynamicRef`, whose target depends on the way to it. */
  hasDynamicRefs = false;
  /** True if the document has `unevaluatedProperties` or `unevaluatedItems`. */
  hasUnevaluated = false;
  /** How many values and names the document lists. */
  #listed = 0;
  #patternSize = 0;

  /** @throws {SchemaError} if a keyword has an invalid value, or the document exceeds a limit. */
  constructor(value: unknown) {
    this.value = value;
    this.root = this.index(value, { pointer: "", parent: undefined, depth: 0 });
  }

  /** Adds a value as a schema, with its subschemas. A reference may lead to a place that is no subschema otherwise. */
  index(value: unknown, { pointer, parent, depth }: Place): SchemaNode {
    if (typeof value !== "boolean" && !isObject(value)) {
      throw new SchemaError(pointer, "a schema is an object or a boolean");
    }
    if (depth > LIMITS.depth) {
      throw new SchemaError(pointer, `the schema is nested more than ${LIMITS.depth} levels deep`);
    }
    if (this.nodes.size >= LIMITS.subschemas) {
      throw new SchemaError(pointer, `the schema has more than ${LIMITS.subschemas} subschemas`);
    }
    const resource = this.#resourceOf(value, pointer, parent);
    const hidesSiblings = resource.legacy && isObject(value) && typeof value.$ref === "string";
    const schema = hidesSiblings ? { $ref: value.$ref } : value;
    const node: SchemaNode = {
      schema,
      pointer,
      resource,
      one: new Map(),
      lists: new Map(),
      maps: new Map(),
      pattern: isObject(schema) ? this.#patternOf(schema, pointer) : undefined,
      patternProperties: [],
    };
    this.nodes.set(pointer, node);
    if (!isObject(value) || !isObject(schema)) return node;
    assertKeywords(schema, pointer);
    this.#note(schema, node);
    // Hidden subschemas are indexed too, because a reference may lead to them.
    const target = hidesSiblings ? { ...node, one: new Map(), lists: new Map(), maps: new Map() } : node;
    for (const keyword of SUBSCHEMA_KEYWORDS.keys()) {
      if (Object.hasOwn(value, keyword)) this.#indexKeyword(keyword, value[keyword], { node: target, depth });
    }
    for (const [source, one] of node.maps.get("patternProperties") ?? []) {
      node.patternProperties.push({ pattern: this.#compile(source, one.pointer), node: one });
    }
    return node;
  }

  #indexKeyword(keyword: string, value: unknown, { node, depth }: { node: SchemaNode; depth: number }): void {
    const place = SUBSCHEMA_KEYWORDS.get(keyword) ?? "one";
    const pointer = appendStep(node.pointer, keyword);
    const index = (item: unknown, at: string) =>
      this.index(item, { pointer: at, parent: node.resource, depth: depth + 1 });
    if (Array.isArray(value) && (place === "list" || place === "one or list")) {
      if (place === "list" && value.length === 0) {
        throw new SchemaError(pointer, "expected at least one schema");
      }
      node.lists.set(keyword, value.map((item, nth) => index(item, appendStep(pointer, nth))));
    } else if (place === "map" || place === "map or names") {
      if (!isObject(value)) throw new SchemaError(pointer, "expected an object of schemas");
      const members = Object.entries(value).filter(([, item]) => place === "map" || !Array.isArray(item));
      const nodes = members.map(([name, item]): [string, SchemaNode] => [
        name,
        index(item, appendStep(pointer, name)),
      ]);
      node.maps.set(keyword, new Map(nodes));
    } else if (place === "list") throw new SchemaError(pointer, "expected a list of schemas");
    else node.one.set(keyword, index(value, pointer));
  }

  #patternOf({ pattern }: JsonObject, pointer: string): Pattern | undefined {
    return typeof pattern === "string" ? this.#compile(pattern, appendStep(pointer, "pattern")) : undefined;
  }

  #compile(source: string, pointer: string): Pattern {
    try {
      const pattern = compilePattern(source);
      this.#patternSize += pattern.size;
      if (this.#patternSize > LIMITS.patternSize) {
        throw new SyntaxError("all patterns together are too large");
      }
      return pattern;
    } catch (cause) {
      if (!(cause instanceof SyntaxError)) throw cause;
      throw new SchemaError(pointer, `the pattern cannot be used: ${cause.message}`);
    }
  }

  /** Notes the anchors of a schema and what the validation has to know of the document. */
  #note(schema: JsonObject, node: SchemaNode): void {
    const { $anchor, $dynamicAnchor } = schema;
    const { anchors, dynamicAnchors, legacy } = node.resource;
    const id = schema.$id ?? schema.id;
    if (legacy && typeof id === "string" && id.startsWith("#")) anchors.set(id.slice(1), node);
    if (typeof $anchor === "string") anchors.set($anchor, node);
    if (typeof $dynamicAnchor === "string") {
      anchors.set($dynamicAnchor, node);
      dynamicAnchors.set($dynamicAnchor, node);
    }
    this.hasDynamicRefs ||= schema.$dynamicRef !== undefined;
    this.hasUnevaluated ||= schema.unevaluatedItems !== undefined ||
      schema.unevaluatedProperties !== undefined;
    for (const keyword of ["enum", "required"]) {
      const list = schema[keyword];
      if (Array.isArray(list)) this.#listed += list.length;
      if (this.#listed > LIMITS.listed) {
        throw new SchemaError(
          appendStep(node.pointer, keyword),
          `the schema lists more than ${LIMITS.listed} values and names`,
        );
      }
    }
  }

  /** Returns the resource that a schema belongs to: a new one if the schema has a URI of its own. */
  #resourceOf(value: JsonObject | boolean, pointer: string, parent: Resource | undefined): Resource {
    const legacy = isLegacy(value, parent);
    const id = isObject(value) ? value.$id ?? (legacy ? value.id : undefined) : undefined;
    const ownId = typeof id === "string" && !id.startsWith("#") && !(legacy && isObject(value) && value.$ref)
      ? id
      : undefined;
    if (parent !== undefined && ownId === undefined) return parent;
    const uri = resolveUri(ownId ?? "", parent?.uri ?? BASE_URI);
    if (uri === undefined) throw new SchemaError(appendStep(pointer, "$id"), "expected a URI");
    const resource = { uri, pointer, anchors: new Map(), dynamicAnchors: new Map(), legacy };
    if (!this.resources.has(uri)) this.resources.set(uri, resource);
    return resource;
  }
}

interface Place {
  pointer: string;
  parent: Resource | undefined;
  depth: number;
}

/** Resolves a URI reference and removes the fragment; `undefined` if it cannot be resolved. */
export function resolveUri(reference: string, base: string): string | undefined {
  if (reference === "") return base;
  return URL.canParse(reference, base) ? new URL(reference, base).href.replace(/#.*$/s, "") : undefined;
}

/** Returns true for a schema of draft 7 or older. A subschema without a draft has the draft of its resource. */
function isLegacy(schema: JsonObject | boolean, parent: Resource | undefined): boolean {
  const draft = isObject(schema) && (parent === undefined || schema.$id !== undefined)
    ? schema.$schema
    : undefined;
  return typeof draft === "string" ? /draft-0?[1-7]\b/.test(draft) : parent?.legacy ?? false;
}
