/** Returns the size of a page from the query: 1 to 1000, by default 20. */
export function readLimit(query: URLSearchParams): number {
  return Math.min(Math.max(Number.parseInt(query.get("limit") ?? "20", 10) || 20, 1), 1000);
}
