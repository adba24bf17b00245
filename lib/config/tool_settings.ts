import * as v from "valibot";
import type { ToolGroup } from "../../tools/call.ts";
import { baseUrl, integer, list, oneOf, type Schema, seconds, text } from "./schemas.ts";

/** The settings of the tools that the gateway runs, part of the table in `settings.ts`. */
export const TOOL_SETTINGS = {
  TOOLS: {
    flag: "--tools",
    schema: (): Schema<string | readonly string[], ReadonlySet<ToolGroup>> => toolGroups(),
    text: "Groups of tools that the gateway runs for models: files-read, files-write, shell, network",
  },
  WORKSPACE_ROOT: {
    flag: "--workspace-root",
    schema: (): Schema<string, string> => folder(),
    text: "The folder that tools work in; they see no other",
  },
  TOOL_TIMEOUT: {
    flag: "--tool-timeout",
    schema: (): Schema<string | number, number> => seconds(0.1),
    default: "30",
    text: "Seconds that one call of a tool may take",
  },
  TOOL_CONCURRENCY: {
    flag: "--tool-concurrency",
    schema: (): Schema<string | number, number> => integer(1, 1000),
    default: "5",
    text: "Calls of tools that run at once; more wait in line",
  },
  TOOL_RATE: {
    flag: "--tool-rate",
    schema: (): Schema<string | number, number> => integer(0, 1_000_000),
    default: "100",
    text: "Calls of tools that one client has in a minute; 0 is no limit",
  },
  TOOL_TURNS: {
    flag: "--tool-turns",
    schema: (): Schema<string | number, number> => integer(1, 1000),
    default: "10",
    text: "Turns that one message may have before it pauses",
  },
  SHELL_SANDBOX: {
    flag: "--shell-sandbox",
    schema: (): Schema<string, "required" | "off"> => oneOf(["required", "off"]),
    default: "required",
    text: "Whether commands run in a sandbox alone (required), or without one: off, which is unsafe",
  },
  SHELL_NETWORK: {
    flag: "--shell-network",
    schema: (): Schema<string, "on" | "off"> => oneOf(["on", "off"]),
    default: "off",
    text: "Whether commands reach the network: on or off",
  },
  WEB_FETCH_ALLOW_HOSTS: {
    flag: "--web-fetch-allow-hosts",
    schema: (): Schema<string | readonly string[], readonly string[]> => list(hostAndPort()),
    text: "Hosts of your own network that tools may fetch from, with their ports, separated by commas",
  },
  WEB_SEARCH: {
    flag: "--web-search",
    schema: (): Schema<string, "openrouter" | "searxng" | "brave" | "tavily" | "exa"> =>
      oneOf(["openrouter", "searxng", "brave", "tavily", "exa"]),
    default: "openrouter",
    text: "Who searches the web: openrouter, searxng, brave, tavily or exa",
  },
  WEB_SEARCH_URL: {
    flag: "--web-search-url",
    schema: (): Schema<string, string> => baseUrl(),
    text: "Where that is, if not at its usual address; SearXNG has none",
  },
  WEB_SEARCH_KEY: {
    flag: "--web-search-key",
    schema: (): Schema<string, string> => text("a key of printable characters without spaces", /^[!-~]+$/),
    secret: true,
    text: "Key for who searches",
  },
} as const;

/** The groups of tools that an owner can switch on. */
const GROUPS: readonly ToolGroup[] = ["files-read", "files-write", "shell", "network"];

/** Groups of tools, separated by commas or as a list. */
function toolGroups(): Schema<string | readonly string[], ReadonlySet<ToolGroup>> {
  const allowed = `expected words of ${GROUPS.join(", ")}, separated by commas`;
  return v.pipe(
    v.union([
      v.pipe(v.string(), v.transform((text) => text.split(",").map((word) => word.trim()))),
      v.array(v.string()),
    ], allowed),
    v.array(v.picklist(GROUPS, allowed)),
    v.transform((groups) => new Set(groups)),
  );
}

/** Hosts with their ports, `192.168.0.10:8080`. */
function hostAndPort(): Schema<string, string> {
  const allowed = 'expected hosts with their ports such as "localhost:8080", separated by commas';
  return v.pipe(
    v.string(allowed),
    v.check((value) => /^(\[[\da-f:.]+\]|[^\s:/@?#[\]]+):\d{1,5}$/i.test(value), allowed),
    v.toLowerCase(),
  );
}

/** The path of a folder, from the root of the file system. */
function folder(): Schema<string, string> {
  const allowed = "expected the path of a folder, beginning with /";
  return v.pipe(v.string(allowed), v.regex(/^\/[^\0]*$/, allowed));
}
