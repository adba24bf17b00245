/** Parses a list of pages such as `3`, `1-5` or `1-3,7`. Returns undefined if it is invalid. */
export function parsePages(text: string): number[] | undefined {
  const pages = new Set<number>();
  for (const part of text.split(",")) {
    const [, first, last] = /^\s*(\d{1,6})\s*(?:-\s*(\d{1,6})\s*)?$/.exec(part) ?? [];
    if (first === undefined) return undefined;
    for (let page = Number(first); page <= Number(last ?? first) && pages.size <= MAX_PAGES; page += 1) {
      pages.add(page);
    }
  }
  return pages.size === 0 || pages.has(0) ? undefined : [...pages].sort((a, b) => a - b);
}

/** Maximum number of pages whose text one call reads. */
export const MAX_PAGES = 20;
