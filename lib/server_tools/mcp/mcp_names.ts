import { fnv } from "../../base/hash/fnv.ts";

/**
 * Maximum length of a tool's name. Source: https://platform.claude.com/docs/en/agents-and-tools/tool-use/define-tools
 */
const MAX_NAME_CHARS = 64;

/**
 * Gives each tool of an MCP server a name that every model accepts: server and tool, such as `files_read`.
 *
 * The name depends only on the two, so that it is the same in every request. Illegal characters and the end of long
 * names are replaced by a hash. A name that is taken gets a number.
 *
 * @example Usage
 * ```ts
 * import { McpNames } from "./mcp_names.ts";
 *
 * const names = new McpNames(["web_search"]);
 * console.assert(names.toModelName("web", "search") === "web_search_2");
 * console.assert(/^my_files_read_[0-9a-f]{8}$/.test(names.toModelName("my files", "read")));
 * ```
 */
export class McpNames {
  readonly #taken: Set<string>;

  /** `taken` are the names of the other tools of the request. */
  constructor(taken: Iterable<string>) {
    this.#taken = new Set(taken);
  }

  /** Returns a name that no other tool has. */
  toModelName(server: string, tool: string): string {
    const base = toLegalName(`${server}_${tool}`);
    let name = base;
    for (let nth = 2; this.#taken.has(name); nth++) {
      const suffix = `_${nth}`;
      name = base.slice(0, MAX_NAME_CHARS - suffix.length) + suffix;
    }
    this.#taken.add(name);
    return name;
  }
}

function toLegalName(name: string): string {
  const readable = name.replace(/[^a-zA-Z0-9_-]/g, "_");
  if (readable === name && name.length <= MAX_NAME_CHARS) return name;
  const hash = fnv(name).toString(16).padStart(8, "0");
  return `${readable.slice(0, MAX_NAME_CHARS - hash.length - 1)}_${hash}`;
}
