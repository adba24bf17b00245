import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** A fenced block of code. */
export interface CodeBlock {
  /** The first word after the fence. */
  language: string;
  /** The second word: in a block of JSON, the setting whose value it is. */
  setting: string | undefined;
  text: string;
  /** The page and the line of the fence, for messages. */
  at: string;
}

/** A page of the documentation. */
export interface Page {
  /** Relative to the root of the project. */
  path: string;
  blocks: CodeBlock[];
  /** Inline code. */
  spans: string[];
  /** The targets of links. */
  links: string[];
  /** The fragments of its headings. */
  anchors: ReadonlySet<string>;
}

/** The root of the project, with a slash at its end. */
export const ROOT: string = fileURLToPath(new URL("../../", import.meta.url));

/** Reads all pages of the documentation. */
export function readPages(): Page[] {
  const pages = readdirSync(`${ROOT}docs`).filter((name) => name.endsWith(".md")).sort();
  const paths = ["README.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md"];
  return [...paths, ...pages.map((name) => `docs/${name}`)].map((path) => readPage(path));
}

/** Reads one page, by its path from the root. */
export function readPage(path: string): Page {
  const blocks: CodeBlock[] = [];
  const lines: string[] = [];
  let open: CodeBlock | undefined;
  for (const [at, line] of readFileSync(ROOT + path, "utf8").split("\n").entries()) {
    const fence = /^```(.*)$/.exec(line);
    if (fence === null) {
      if (open === undefined) lines.push(line);
      else open.text += `${line}\n`;
    } else if (open === undefined) {
      const [language = "", setting] = (fence[1] ?? "").split(" ");
      open = { language, setting, text: "", at: `${path}:${at + 1}` };
    } else {
      blocks.push(open);
      open = undefined;
    }
  }
  if (open !== undefined) throw new Error(`${open.at} has no end`);
  const prose = lines.join("\n");
  return {
    path,
    blocks,
    spans: Array.from(prose.matchAll(/(`+)(.+?)\1(?!`)/g), ([, , code = ""]) => code.trim()),
    links: Array.from(prose.matchAll(/\]\(([^)\s]+)\)/g), ([, target = ""]) => target),
    anchors: new Set(lines.flatMap((line) => toAnchor(/^#+ (.*)$/.exec(line)?.[1]))),
  };
}

/** Returns the fragment of a heading on GitHub. */
function toAnchor(heading: string | undefined): string[] {
  if (heading === undefined) return [];
  return [heading.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "").replace(/\s/g, "-")];
}
