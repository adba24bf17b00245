import type { ToolContent } from "../call.ts";
import { readImage } from "./image.ts";
import { type Cell, joinLines, type Notebook, type Output } from "./notebook.ts";

/** Maximum characters of one source, of one output and of the view; maximum number of images, and characters of one. */
const LIMITS = { source: 10_000, output: 4_000, all: 100_000, images: 10, image: 5 * 1024 * 1024 };

/** Shows a notebook, or one cell of it, with sources and outputs. Images become image blocks. */
export function showNotebook(
  notebook: Notebook,
  { cell: onlyCell }: { cell?: number | undefined } = {},
): ToolContent[] {
  const view: View = { content: [], chars: 0, images: 0 };
  const { cells, path } = notebook;
  if (cells.length === 0) return [{ type: "text", text: `(${path} has no cells)` }];
  for (const [index, cell] of cells.entries()) {
    if (onlyCell !== undefined && onlyCell !== index) continue;
    if (view.chars > LIMITS.all) {
      appendText(
        view,
        `(${cells.length - index} more cells; read them one by one with NotebookRead and cell_index)`,
      );
      break;
    }
    showCell(view, { cell, index, language: notebook.language });
  }
  return view.content;
}

/** The content shown so far. */
interface View {
  content: ToolContent[];
  chars: number;
  images: number;
}

function showCell(
  view: View,
  { cell, index, language }: { cell: Cell; index: number; language: string },
): void {
  const type = cell.cell_type === "code" && language !== "python" ? `code, ${language}` : cell.cell_type;
  const executionCount = typeof cell.execution_count === "number"
    ? ` execution_count="${cell.execution_count}"`
    : "";
  const source = truncate(joinLines(cell.source), LIMITS.source);
  appendText(
    view,
    `<cell id="${
      cell.id ?? `cell-${index}`
    }" index="${index}" type="${type}"${executionCount}>\n${source}\n</cell>`,
  );
  for (const output of cell.outputs ?? []) showOutput(view, output);
}

function showOutput(view: View, output: Output): void {
  const { text, name, data, ename, evalue, traceback } = output;
  switch (output.output_type) {
    case "stream":
      return appendText(view, `<output stream="${name ?? "stdout"}">\n${cleanOutput(text)}\n</output>`);
    case "error": {
      const lines = traceback?.join("\n") ?? "";
      return appendText(
        view,
        `<output error="${ename ?? ""}">\n${cleanOutput(lines || `${ename}: ${evalue}`)}\n</output>`,
      );
    }
    default:
      return showData(view, new Map(Object.entries(data ?? {})));
  }
}

/** Shows one form of a result: the image if models accept it, else the plainest text. */
function showData(view: View, data: ReadonlyMap<string, unknown>): void {
  for (const type of ["image/png", "image/jpeg", "image/gif", "image/webp"]) {
    const image = joinText(data.get(type)).replace(/\s/g, "");
    if (image !== "" && view.images < LIMITS.images && isImage(image, type)) {
      view.images += 1;
      view.content.push({ type: "image", source: { type: "base64", media_type: type, data: image } });
      return;
    }
  }
  const plainType = ["text/plain", "text/markdown", "text/latex", "text/html"].find((type) => data.has(type));
  const text = plainType === undefined
    ? `(${[...data.keys()].join(", ") || "nothing"})`
    : joinText(data.get(plainType));
  appendText(view, `<output>\n${cleanOutput(text)}\n</output>`);
}

/** True for an image that Anthropic accepts. Any other one would make every later request of the conversation fail. */
function isImage(base64: string, type: string): boolean {
  if (base64.length > LIMITS.image || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64) || base64.length % 4 !== 0) {
    return false;
  }
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const { media_type, width = 0, height = 0 } = readImage(bytes) ?? {};
  return media_type === type && Math.max(width, height) <= 8000;
}

function joinText(value: unknown): string {
  if (typeof value === "string") return value;
  return Array.isArray(value) ? value.filter((line) => typeof line === "string").join("") : "";
}

function cleanOutput(text: string | string[] | undefined): string {
  // deno-lint-ignore no-control-regex -- colours of a terminal
  return truncate(joinLines(text ?? "").replace(/\x1b\[[0-9;]*[A-Za-z]/g, "").trimEnd(), LIMITS.output);
}

function truncate(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit)}… [${text.length - limit} more characters]`;
}

/** Appends text to the last block if that is text, else as a new block. */
function appendText(view: View, text: string): void {
  const last = view.content.at(-1);
  if (last?.type === "text") last.text += `\n${text}`;
  else view.content.push({ type: "text", text });
  view.chars += text.length;
}
