import type TurndownService from "turndown";
import { trimHtml } from "./trim_html.ts";

/** A page as a model reads it. */
export interface ReadablePage {
  readonly title: string | undefined;
  /** Markdown. */
  readonly text: string;
  readonly truncated: boolean;
}

/** How many elements a page may have to be searched for its main part; a larger one is taken whole. */
const MAX_ARTICLE_ELEMENTS = 5_000;

/**
 * Reads a page of HTML as Markdown: its main part where it has one, else all of it. What costs more than reading text
 * is bounded (`trimHtml`), whatever the page is made of.
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
  // The main part is taken as it is: written out and read again, it could grow beyond every bound.
  return new Readability(document, { serializer: (node) => node }).parse() ?? undefined;
}

function cleanTitle(text: string | null | undefined): string | undefined {
  const title = (text ?? "").split(/\s+/).join(" ").trim();
  return title === "" ? undefined : title.slice(0, 500);
}

async function toMarkdown(body: HTMLElement): Promise<string> {
  const { default: Turndown } = await import("turndown");
  const service = new Turndown({ headingStyle: "atx", codeBlockStyle: "fenced", bulletListMarker: "-" });
  // Whoever reads is no program: `snake\_case` is only harder to read.
  service.escape = (text: string) => text;
  addTables(service);
  return service.turndown(body);
}

/** Turndown leaves tables to others. */
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
