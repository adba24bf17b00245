import { isObject } from "../base/json.ts";
import { resolveUri, type SchemaDocument, type SchemaNode } from "./document.ts";
import { appendStep, resolvePointer, toSteps } from "./pointer.ts";
import { SchemaError } from "./schema_error.ts";

/** The schema that a reference leads to. */
export interface Reference {
  target: SchemaNode;
  /** Name of the dynamic anchor, if the target depends on the way to the reference. */
  dynamicAnchor?: string | undefined;
}

/** Resolved references of a document. */
export type References = ReadonlyMap<SchemaNode, readonly Reference[]>;

/** Keywords with a reference. `$recursiveRef` of draft 2019-09 is always `#`. */
const REFERENCE_KEYWORDS = ["$ref", "$dynamicRef", "$recursiveRef"];

/**
 * Resolves the references of all schemas that a value can be checked against.
 *
 * References lead to places in the document only: nothing is loaded.
 *
 * @throws {SchemaError} for a reference to a place that the document does not have.
 */
export function resolveReferences(document: SchemaDocument): References {
  const references = new Map<SchemaNode, Reference[]>();
  const queue = [document.root];
  const dynamicAnchors = new Set<string>();
  for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
    if (references.has(node)) continue;
    const found = referencesOf(node, document);
    references.set(node, found);
    queue.push(...found.map(({ target }) => target), ...subschemasOf(node));
    for (const { dynamicAnchor } of found) {
      if (dynamicAnchor === undefined || dynamicAnchors.has(dynamicAnchor)) continue;
      dynamicAnchors.add(dynamicAnchor);
      queue.push(...dynamicTargets(dynamicAnchor, document));
    }
  }
  return references;
}

/** Returns the schemas that a dynamic reference may lead to. */
export function dynamicTargets(anchor: string, { resources }: SchemaDocument): SchemaNode[] {
  return [...resources.values()].flatMap(({ dynamicAnchors }) => dynamicAnchors.get(anchor) ?? []);
}

/** Keywords whose subschemas apply only where a reference leads to them, or not at all. */
const NOT_APPLIED = new Set(["$defs", "definitions", "contentSchema"]);

/** Returns the subschemas that apply to a value, or to parts of it. */
function subschemasOf({ one, lists, maps }: SchemaNode): SchemaNode[] {
  return [
    ...[...one].flatMap(([keyword, node]) => NOT_APPLIED.has(keyword) ? [] : [node]),
    ...[...lists.values()].flat(),
    ...[...maps].flatMap(([keyword, nodes]) => NOT_APPLIED.has(keyword) ? [] : [...nodes.values()]),
  ];
}

function referencesOf(node: SchemaNode, document: SchemaDocument): Reference[] {
  const { schema } = node;
  if (!isObject(schema)) return [];
  return REFERENCE_KEYWORDS.flatMap((keyword): Reference[] => {
    const reference = schema[keyword];
    if (typeof reference !== "string") return [];
    const target = resolve(reference, node, { document, keyword });
    const fragment = reference.split("#")[1] ?? "";
    const isDynamic = keyword === "$dynamicRef" && isObject(target.schema) &&
      target.schema.$dynamicAnchor === fragment;
    return [{ target, dynamicAnchor: isDynamic ? fragment : undefined }];
  });
}

function resolve(
  reference: string,
  { pointer, resource: from }: SchemaNode,
  { document, keyword }: { document: SchemaDocument; keyword: string },
): SchemaNode {
  const [uri = "", fragment = ""] = reference.split(/#(.*)/s);
  const at = appendStep(pointer, keyword);
  const quoted = JSON.stringify(reference.slice(0, MAX_QUOTED_CHARS));
  const absolute = resolveUri(uri, from.uri);
  const resource = uri === "" ? from : document.resources.get(absolute ?? "");
  if (resource === undefined) {
    throw new SchemaError(at, `${quoted} is outside of the schema, and other schemas are not loaded`);
  }
  const found = fragment === "" || fragment.startsWith("/")
    ? atPointer(resource.pointer + toPointer(fragment), document)
    : resource.anchors.get(fragment);
  if (found === undefined) throw new SchemaError(at, `the schema has no ${quoted}`);
  return found;
}

/** Decodes a fragment to a JSON pointer in its only spelling. */
function toPointer(fragment: string): string {
  return toSteps(decode(fragment)).reduce(appendStep, "");
}

function decode(fragment: string): string {
  try {
    return decodeURIComponent(fragment);
  } catch {
    return fragment; // a percent sign that is part of a name
  }
}

/** Returns the schema at a pointer. A place that holds no subschema by its keyword becomes one. */
function atPointer(pointer: string, document: SchemaDocument): SchemaNode | undefined {
  const known = document.nodes.get(pointer);
  if (known !== undefined) return known;
  const value = resolvePointer(document.value, pointer);
  if (typeof value !== "boolean" && !isObject(value)) return undefined;
  let parent: SchemaNode | undefined;
  for (let end = pointer.length; parent === undefined; end = pointer.lastIndexOf("/", end - 1)) {
    parent = document.nodes.get(pointer.slice(0, end));
  }
  return document.index(value, { pointer, parent: parent.resource, depth: toSteps(pointer).length });
}

const MAX_QUOTED_CHARS = 100;
