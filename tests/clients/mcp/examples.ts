import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { readPage } from "../../docs/pages.ts";
import { readCommands } from "../../docs/shell.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** Names in the examples of docs/mcp.md, and their values in a test. */
export interface Places {
  /** The gateway's URL. */
  url?: string;
  /** The client's key. */
  key?: string;
  /** The workspace. */
  folder?: string;
}

const Config = z.object({
  mcpServers: z.object({
    gateway: z.union([
      z.object({ type: z.literal("http"), url: z.string(), headers: z.record(z.string(), z.string()) }),
      z.object({ command: z.string(), args: z.array(z.string()) }),
    ]),
  }),
});

/** The entry of the server in the example over HTTP. */
export function readHttpExample(places: Places): { url: string; headers: Record<string, string> } {
  const entry = readEntries(places).find((found) => "url" in found);
  assert.ok(entry !== undefined && "url" in entry);
  return entry;
}

/** The entry of the server in the example over stdio; its command is on the path of the project. */
export function readStdioExample(places: Places): { command: string; args: string[] } {
  const entry = readEntries(places).find((found) => "command" in found);
  assert.ok(entry !== undefined && "command" in entry);
  return { ...entry, command: `${ROOT}node_modules/.bin/${entry.command}` };
}

/** The arguments of `claude` in the example that adds the server, over HTTP or by a command of the project. */
export function readClaudeExample(over: "http" | "stdio", places: Places): string[] {
  const commands = blocks("sh").flatMap((text) => readCommands(text)).map(({ words }) => words)
    .filter((words) => words.slice(0, 3).join(" ") === "claude mcp add");
  const words = commands.find((found) => found.includes("--transport") === (over === "http"));
  assert.ok(words);
  return words.slice(1).map((word) => replacePlaces(word, places))
    .map((word) => word === "bun" ? `${ROOT}node_modules/.bin/bun` : word);
}

function readEntries(places: Places) {
  return blocks("json").filter((text) => text.includes('"gateway": {')).map((text) =>
    Config.parse(JSON.parse(replacePlaces(text, places))).mcpServers.gateway
  );
}

function blocks(language: string): string[] {
  return readPage("docs/mcp.md").blocks.filter((block) => block.language === language).map(({ text }) =>
    text
  );
}

function replacePlaces(text: string, { url, key, folder }: Places): string {
  return text.replaceAll("http://127.0.0.1:4000", url ?? "http://127.0.0.1:4000")
    .replaceAll("a-key-of-alice-1234", key ?? "a-key-of-alice-1234")
    .replaceAll("/srv/work", folder ?? "/srv/work")
    .replaceAll("/opt/gateway/", ROOT);
}
