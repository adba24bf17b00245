import * as v from "valibot";
import type { JsonObject } from "../call.ts";
import { ToolError } from "../errors.ts";
import { findElements } from "./json_elements.ts";
import { decodeText } from "./text.ts";

const MultilineString = v.union([v.string(), v.array(v.string())]);

const Output = v.looseObject({
  output_type: v.string(),
  name: v.optional(v.string()),
  text: v.optional(MultilineString),
  data: v.optional(v.record(v.string(), v.unknown())),
  ename: v.optional(v.string()),
  evalue: v.optional(v.string()),
  traceback: v.optional(v.array(v.string())),
});

const Cell = v.looseObject({
  cell_type: v.string(),
  id: v.optional(v.string()),
  source: MultilineString,
  outputs: v.optional(v.array(Output)),
  execution_count: v.optional(v.nullable(v.number())),
});

const NotebookFile = v.looseObject({
  nbformat: v.literal(4),
  nbformat_minor: v.number(),
  metadata: v.optional(v.looseObject({
    kernelspec: v.optional(v.looseObject({ language: v.optional(v.string()) })),
    language_info: v.optional(v.looseObject({ name: v.optional(v.string()) })),
  })),
  cells: v.array(Cell),
});

/** An output of a cell. */
export type Output = v.InferOutput<typeof Output>;

/** A cell of a notebook. */
export type Cell = v.InferOutput<typeof Cell>;

/** A Jupyter notebook in version 4 of the format. */
export interface Notebook {
  path: string;
  /** The unchanged text of the file. */
  text: string;
  bom: boolean;
  minor: number;
  language: string;
  cells: readonly Cell[];
}

/** The type of a cell. */
export type CellType = "code" | "markdown" | "raw";

/**
 * Parses a notebook.
 *
 * @throws {ToolError} if the file is not a notebook in version 4 of the format.
 */
export function parseNotebook({ path, bytes }: { path: string; bytes: Uint8Array<ArrayBuffer> }): Notebook {
  const decoded = decodeText(bytes);
  const result = v.safeParse(NotebookFile, decoded === undefined ? undefined : parseJson(decoded.text));
  if (decoded === undefined || !decoded.exact || !result.success) {
    throw new ToolError(`Cannot read "${path}": it is not a notebook in version 4 of Jupyter's format`);
  }
  const { metadata, nbformat_minor, cells } = result.output;
  const language = metadata?.language_info?.name ?? metadata?.kernelspec?.language ?? "python";
  return { path, text: decoded.text, bom: decoded.bom, minor: nbformat_minor, language, cells };
}

/** Joins lines that include their line endings. */
export function joinLines(lines: v.InferOutput<typeof MultilineString>): string {
  return typeof lines === "string" ? lines : lines.join("");
}

/**
 * Returns the index of a cell, given its id or its index. If no cell has the id, `cell-3` finds the cell at index 3.
 *
 * @throws {ToolError} if the cell does not exist.
 */
export function findCell(
  notebook: Notebook,
  { id, index }: { id?: string | undefined; index?: number | undefined },
): number {
  const { cells, path } = notebook;
  const byId = id === undefined ? -1 : cells.findIndex((cell) => cell.id === id);
  if (byId !== -1) return byId;
  const wanted = id === undefined ? index : Number(/^cell-(\d{1,9})$/.exec(id)?.[1] ?? Number.NaN);
  if (wanted !== undefined && wanted < cells.length) return wanted;
  const description = id === undefined ? `index ${index}` : `id ${JSON.stringify(id)}`;
  throw new ToolError(
    `Cannot find the cell with ${description} in "${path}": it has ${cells.length} cells, counted from 0`,
  );
}

/** Returns the text of the file with one cell replaced, and all else unchanged. */
export function replaceCell(notebook: Notebook, index: number, cell: Cell): string {
  const { text, start, end } = locateCell(notebook, index);
  const before: JsonObject = JSON.parse(text.slice(start, end));
  const names = [...Object.keys(before), ...Object.keys(cell)].filter((name) => Object.hasOwn(cell, name));
  const inOrder = Object.fromEntries([...new Set(names)].map((name) => [name, cell[name]]));
  return text.slice(0, start) + serializeCell(notebook, inOrder) + text.slice(end);
}

/** Returns the text of the file with a cell inserted before the one at an index, or after the last. */
export function insertCell(notebook: Notebook, index: number, cell: Cell): string {
  const { text } = notebook;
  const { start, elements } = cellElements(notebook);
  const [ending, indent] = detectFormat(text);
  const separator = indent === "" ? " " : `${ending}${indent}${indent}`;
  const next = elements[index];
  const last = elements.at(-1);
  const written = serializeCell(notebook, cell);
  if (next !== undefined) {
    return `${text.slice(0, next.start)}${written},${separator}${text.slice(next.start)}`;
  }
  if (last !== undefined) return `${text.slice(0, last.end)},${separator}${written}${text.slice(last.end)}`;
  const [before, after] = indent === "" ? ["", ""] : [separator, `${ending}${indent}`];
  return `${text.slice(0, start + 1)}${before}${written}${after}${
    text.slice(cellElements(notebook).end - 1)
  }`;
}

/** Returns the text of the file without one cell and its comma. */
export function deleteCell(notebook: Notebook, index: number): string {
  const { text, start, end } = locateCell(notebook, index);
  const { elements, ...array } = cellElements(notebook);
  const next = elements[index + 1];
  const previous = elements[index - 1];
  if (next !== undefined) return text.slice(0, start) + text.slice(next.start);
  if (previous !== undefined) return text.slice(0, previous.end) + text.slice(end);
  return text.slice(0, array.start + 1) + text.slice(array.end - 1);
}

/** Creates a cell in the form that Jupyter writes: members sorted by name, the source as lines. */
export function createCell(
  { type, source, id }: { type: CellType; source: string; id: string | undefined },
): Cell {
  const code = type === "code";
  return {
    cell_type: type,
    ...(code ? { execution_count: null } : {}),
    ...(id === undefined ? {} : { id }),
    metadata: {},
    ...(code ? { outputs: [] } : {}),
    source: splitLines(source),
  };
}

/** Splits a source into lines that include their line endings. */
export function splitLines(source: string): string[] {
  return source.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** Returns an unused cell id; undefined before version 4.5 of the format, which introduced ids. */
export function newCellId({ minor, cells }: Notebook): string | undefined {
  if (minor < 5) return undefined;
  const usedIds = new Set(cells.map(({ id }) => id));
  let number = cells.length;
  while (usedIds.has(`cell-${number}`)) number += 1;
  return `cell-${number}`;
}

function locateCell(notebook: Notebook, index: number): { text: string; start: number; end: number } {
  const element = cellElements(notebook).elements[index];
  if (element === undefined) throw new Error(`Cannot locate cell ${index}: it does not exist`);
  return { text: notebook.text, ...element };
}

function cellElements({ text }: Notebook): NonNullable<ReturnType<typeof findElements>> {
  const found = findElements(text, "cells");
  if (found === undefined) throw new Error("Cannot locate the cells: the notebook has none");
  return found;
}

/** Detects the line ending and the indentation of a file. */
function detectFormat(text: string): [ending: string, indent: string] {
  const [, ending = "", indent = ""] = /(\r?\n)([ \t]+)/.exec(text) ?? [];
  return [ending, indent];
}

function serializeCell({ text }: Notebook, cell: JsonObject): string {
  const [ending, indent] = detectFormat(text);
  return JSON.stringify(cell, null, indent).replaceAll("\n", `${ending}${indent}${indent}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
