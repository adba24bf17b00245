import * as v from "valibot";
import type { ToolGroup } from "../../../tools/call.ts";
import { listForm, withForm } from "../json_form.ts";
import { baseUrl, integer, list, oneOf, onOff, type Schema, seconds, text } from "../schemas.ts";

/** Settings for the tools that the gateway runs, part of the table in `settings.ts`. */
export const TOOL_SETTINGS = {
  TOOLS: {
    flag: "--tools",
    schema: (): Schema<string | readonly string[], ReadonlySet<ToolGroup>> => toolGroups(),
    text: "Groups of tools that the gateway runs for models: files-read, files-write, shell, network",
  },
  WORKSPACE_ROOT: {
    flag: "--workspace-root",
    schema: (): Schema<string, string> => folder(),
    text: "Folder that tools work in; they have access to no other folder",
  },
  MCP_CONFIG: {
    flag: "--mcp-config",
    schema: (): Schema<string, string> => text("the path of a file"),
    text: "File with the MCP servers that the gateway manages, in the form of `.mcp.json`; unset: none",
  },
  TOOL_TIMEOUT: {
    flag: "--tool-timeout",
    schema: (): Schema<string | number, number> => seconds(0.1),
    default: "30",
    text: "Maximum seconds of one tool call",
  },
  TOOL_CONCURRENCY: {
    flag: "--tool-concurrency",
    schema: (): Schema<string | number, number> => integer(1, 1000),
    default: "5",
    text: "Tool calls that run at the same time; further calls wait",
  },
  TOOL_RATE: {
    flag: "--tool-rate",
    schema: (): Schema<string | number, number> => integer(0, 1_000_000),
    default: "100",
    text: "Tool calls per minute and client; 0: no limit",
  },
  TOOL_TURNS: {
    flag: "--tool-turns",
    reload: true,
    schema: (): Schema<string | number, number> => integer(1, 1000),
    default: "10",
    text: "Turns of one message before it ends with `pause_turn`",
  },
  SHELL_SANDBOX: {
    flag: "--shell-sandbox",
    schema: (): Schema<string, "required" | "off"> => oneOf(["required", "off"]),
    default: "required",
    text: "`required` runs commands only in a sandbox; `off` runs them without one, which is unsafe",
  },
  SHELL_NETWORK: {
    flag: "--shell-network",
    schema: (): Schema<string | boolean, "on" | "off"> => onOff(),
    default: "off",
    text: "Network access of commands in the sandbox: on or off",
  },
  WEB_FETCH_ALLOW_HOSTS: {
    flag: "--web-fetch-allow-hosts",
    schema: (): Schema<string | readonly string[], readonly string[]> => list(hostAndPort()),
    text: "Hosts of a private network that tools may fetch from, with ports, separated by commas",
  },
  WEB_SEARCH: {
    flag: "--web-search",
    schema: (): Schema<string, "openrouter" | "searxng" | "brave" | "tavily" | "exa"> =>
      oneOf(["openrouter", "searxng", "brave", "tavily", "exa"]),
    default: "openrouter",
    text: "Provider of web search: openrouter, searxng, brave, tavily or exa",
  },
  WEB_SEARCH_MAX_USES: {
    flag: "--web-search-max-uses",
    reload: true,
    schema: (): Schema<string | number, number> => integer(1, 1000),
    default: "20",
    text: "Searches by `web_search` for one message, if its request has no `max_uses`",
  },
  WEB_SEARCH_URL: {
    flag: "--web-search-url",
    schema: (): Schema<string, string> => baseUrl(),
    text: "Base URL of the search provider; required for searxng, default: the public API of the others",
  },
  WEB_SEARCH_KEY: {
    flag: "--web-search-key",
    schema: (): Schema<string, string> =>
      text("a key of printable ASCII characters without spaces", /^[!-~]+$/),
    secret: true,
    text: "Key of the search provider",
  },
} as const;

/** Groups of tools that the operator can enable. */
const GROUPS: readonly ToolGroup[] = ["files-read", "files-write", "shell", "network"];

/** Parses groups of tools, separated by commas or as a list. */
function toolGroups(): Schema<string | readonly string[], ReadonlySet<ToolGroup>> {
  const allowed = `expected ${GROUPS.slice(0, -1).join(", ")} or ${GROUPS.at(-1)}, separated by commas`;
  const schema = v.pipe(
    v.union([
      v.pipe(v.string(), v.transform((text) => text.split(",").map((word) => word.trim()))),
      v.array(v.string()),
    ], allowed),
    v.array(v.picklist(GROUPS, allowed)),
    v.transform((groups) => new Set(groups)),
  );
  return withForm(schema, listForm({ enum: [...GROUPS] }));
}

/** Parses a host with its port, such as `192.168.0.10:8080`. */
function hostAndPort(): Schema<string, string> {
  const allowed = 'expected hosts with ports such as "localhost:8080", separated by commas';
  return v.pipe(
    v.string(allowed),
    v.check((value) => /^(\[[\da-f:.]+\]|[^\s:/@?#[\]]+):\d{1,5}$/i.test(value), allowed),
    v.toLowerCase(),
  );
}

/** Parses the absolute path of a folder. */
function folder(): Schema<string, string> {
  const allowed = "expected the absolute path of a folder, such as /srv/work";
  const schema = v.pipe(v.string(allowed), v.regex(/^\/[^\0]*$/, allowed));
  return withForm(schema, { type: "string", minLength: 1 });
}
