import * as v from "valibot";
import type { SearchHit } from "../models.ts";
import { defineTool } from "../tool.ts";

/** Maximum number of hits of a search. */
const MAX_HITS = 10;

/** Searches the web. */
export const webSearch = defineTool({
  name: "WebSearch",
  description: [
    `Searches the web and returns up to ${MAX_HITS} hits, each with its title, its URL and an excerpt that matches the query.`,
    "Use it for information that is newer than your training or must be correct; WebFetch reads a hit. Name the sources",
    "that you use.",
  ].join(" "),
  group: "network",
  hints: { readOnly: true, openWorld: true },
  input: v.object({
    query: v.pipe(v.string(), v.minLength(1), v.description("What to search for")),
    allowed_domains: v.optional(
      v.pipe(
        v.array(v.string()),
        v.description("Only hits from these domains and their subdomains, such as example.com"),
      ),
    ),
    blocked_domains: v.optional(
      v.pipe(
        v.array(v.string()),
        v.description("No hits from these domains; not together with allowed_domains"),
      ),
    ),
  }),
  async run({ query, allowed_domains, blocked_domains }, host) {
    const lists = { allowedDomains: allowed_domains, blockedDomains: blocked_domains };
    const hits = await host.web.search({ query, ...lists, limit: MAX_HITS });
    // The text leaves out the query: a URL that the model wrote must not pass for one that the web returned.
    if (hits.length === 0) return "Nothing was found";
    return hits.map(formatHit).join("\n\n");
  },
});

function formatHit({ title, url, text, age }: SearchHit, at: number): string {
  const head = `${at + 1}. ${title}${age === undefined ? "" : ` (${age})`}`;
  const lines = [url, ...text.split("\n")].filter((line) => line.trim() !== "");
  return [head, ...lines.map((line) => `   ${line.trim()}`)].join("\n");
}
