import type TurndownService from "turndown";
import { trimHtml } from "./trim_html.ts";

/** The readable text of a page. */
export interface ReadablePage {
  readonly title: string | undefined;
  /** Content as Markdown. */
  readonly text: string;
  /** True if the page exceeds a limit. */
  readonly truncated: boolean;
}

/** Maximum number of elements of a page that is searched for its main part. A larger page is converted whole. */
const MAX_ARTICLE_ELEMENTS = 5_000;

/**
 * Converts an HTML page to Markdown: its main part if it has one, else the whole page.
 *
 * `trimHtml` bounds the cost of every step that is slower than reading text, for any page.
 */
export async function readHtml(page: string, url: URL): Promise<ReadablePage> {
  const { parseHTML } = await import("linkedom");
  const { html, elements, truncated } = trimHtml(page, url);
  const { document, HTMLElement } = parseHTML(html);
  const title = cleanTitle(document.querySelector("title")?.textContent);
  const article = elements > MAX_ARTICLE_ELEMENTS ? undefined : await findArticle(document);
  if (!(article?.content instanceof HTMLElement)) {
    return { title, text: await toMarkdown(parseHTML(html).document.body), truncated };
  }
  return { title: cleanTitle(article.title) ?? title, text: await toMarkdown(article.content), truncated };
}

async function findArticle(document: Document) {
  const { isProbablyReaderable, Readability } = await import("@mozilla/readability");
  if (!isProbablyReaderable(document)) return undefined;
  // The content stays a node: serialized and parsed again, it could grow past every limit.
  return new Readability(document, { serializer: (node) => node }).parse() ?? undefined;
}

function cleanTitle(text: string | null | undefined): string | undefined {
  const title = (text ?? "").split(/\s+/).join(" ").trim();
  return title === "" ? undefined : title.slice(0, 500);
}

async function toMarkdown(body: HTMLElement): Promise<string> {
  const { default: Turndown } = await import("turndown");
  const service = new Turndown({ headingStyle: "atx", codeBlockStyle: "fenced", bulletListMarker: "-" });
  // Markdown escapes such as `snake\_case` only make the text harder for a model to read.
  service.escape = (text: string) => text;
  addTables(service);
  return service.turndown(body);
}

/** Adds rules for tables, which Turndown lacks. */
function addTables(service: TurndownService): void {
  service.addRule("cell", {
    filter: ["td", "th"],
    replacement: (content: string) => ` ${toTableCell(content)} |`,
  });
  service.addRule("row", {
    filter: "tr",
    replacement(content: string, node: Node) {
      const rule = isFirstRow(node) ? `|${" --- |".repeat(node.childNodes.length)}\n` : "";
      return `|${content}\n${rule}`;
    },
  });
  service.addRule("rows", { filter: ["thead", "tbody", "tfoot"], replacement: (content: string) => content });
  service.addRule("table", { filter: "table", replacement: (content: string) => `\n\n${content}\n\n` });
}

function toTableCell(content: string): string {
  return content.split("\n").map((line) => line.trim()).filter((line) => line !== "").join(" ").replaceAll(
    "|",
    "\\|",
  );
}

function isFirstRow(row: Node): boolean {
  const rows = row.parentNode;
  if (row.previousSibling !== null) return false;
  return rows?.nodeName === "TABLE" || rows?.previousSibling === null || rows?.nodeName === "THEAD";
}
