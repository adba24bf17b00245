import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { ROOMS, writeRoomsTable } from "./kit/rooms.ts";

/** The files that may use each package. Other packages are not allowed. */
const PACKAGES: Record<string, RegExp> = {
  "valibot": /^(lib|tools)\//,
  "@valibot/to-json-schema": /^(tools\/tool|lib\/server\/openapi\/to_schema)\.ts$/,
  "@modelcontextprotocol/server": /^lib\/server\/mcp_server\//,
  "hono": /^lib\/(server\/app|page\/elements\/html)\.ts$/,
  "eventsource-parser": /^lib\/upstreams\/response\/read_events\.ts$/,
  "minisearch": /^lib\/server_tools\/tool_search\.ts$/,
  "re2js":
    /^(lib\/(server_tools\/tool_search|json_schema\/pattern)|tools\/patterns\/(glob|line)_pattern)\.ts$/,
  "undici": /^lib\/runtime\/http\/(node_fetch|undici_agent\.d)\.ts$/,
  "leven": /^lib\/(upstreams\/resolve|config\/nearest|server\/routing\/nearest_route)\.ts$/,
  "ipaddr.js": /^tools\/policy\/address\.ts$/,
  "htmlparser2": /^tools\/host\/web\/trim_html\.ts$/,
  "linkedom": /^tools\/host\/web\/html\.ts$/,
  "@mozilla/readability": /^tools\/host\/web\/html\.ts$/,
  "turndown": /^tools\/host\/web\/html\.ts$/,
  "unpdf": /^tools\/host\/pdf\/read_pdf\.ts$/,
  "@logtape/logtape": /^lib\/observability\/(log|json_line|pretty_line)\.ts$/,
  "@modelcontextprotocol/client": /^tools\/mcp\//,
  "@opentelemetry/api": /^lib\/observability\/(tracing|trace_ids|otel_metrics)\.ts$/,
  "@hono/node-server": /^lib\/runtime\/http\/node_server\.ts$/,
  "postgres": /^lib\/durable\/postgres\//,
  "@restatedev/restate-sdk": /^lib\/durable\/restate\.ts$/,
  "@redis/client": /^lib\/runtime\/stores\/redis\.ts$/,
  "jsonc-parser": /^lib\/config\/(sources\/(config_file|json_error)|ccr\/parse_ccr)\.ts$/,
  "bun:": /^lib\/runtime\/sqlite\.ts$/,
  "node:":
    /^(lib\/(base\/hash\/sha256|runtime\/(child|content_files|day_files|files|http\/(bun_fetch|decode_body|incoming_body|node_server|serve)|json_lines|private_files|private_folder|process|prompt|sqlite|stores\/record_folder)|limits\/(spend_file|ledger\/file_ledger))\.ts$|tools\/host\/|tools\/mcp\/managed\/(child|process_table|stdio_link)\.ts$)/,
};

const IMPURE =
  /\b(fetch\(|Date\.now|new Date\(\)|Math\.random|crypto\.|setTimeout|setInterval|console\.|performance\.)/;

const root = fileURLToPath(new URL("../", import.meta.url));
const sources = ["mod.ts", ...list("lib"), ...list("tools")].filter((path) => path.endsWith(".ts"));

test("every file belongs to a room", () => {
  for (const path of sources) roomOf(path);
});

test("docs/architecture.md has the table of rooms", () => {
  const rowsOf = (table: string) =>
    table.split("\n").filter((line) => line.startsWith("| `")).map((line) => line.replace(/ +\|/g, " |"));
  const text = readFileSync(join(root, "docs/architecture.md"), "utf8");
  const rules = text.split("## Import rules")[1]?.split("\n## ")[0] ?? "";
  assert.deepEqual(rowsOf(rules), rowsOf(writeRoomsTable()));
});

test("every room of the table exists", () => {
  for (const name of Object.keys(ROOMS)) {
    assert.ok(sources.some((path) => isIn(path, name)), `${name} is in the table, but not in the tree`);
  }
});

test("a file imports only what its room may use", () => {
  for (const path of sources) {
    const room = roomOf(path);
    for (const imported of localImports(path)) {
      const other = roomOf(imported);
      assert.ok(
        other === room || ROOMS[room]?.uses.split(" ").includes(other),
        `${path} imports ${imported} (${other})`,
      );
    }
  }
});

test("lib uses types of tools, and loads tools in one place", () => {
  for (const path of sources.filter((file) => file.startsWith("lib/"))) {
    const found = [...withoutComments(path).matchAll(/^(import (?:type )?)[^;]*?"[./]+\/tools\/[^"]+"/gm)];
    for (const [text = "", keyword] of found) assert.equal(keyword, "import type ", `${path}: ${text}`);
    const loads = /import\("[./]+\/tools\//.test(withoutComments(path));
    assert.equal(loads, path === "lib/turns/load_tools.ts", path);
  }
});

test("no file imports itself, directly or through others", () => {
  for (const path of sources) {
    const reached = new Set<string>();
    const queue = localImports(path);
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      assert.notEqual(next, path, `${path} imports itself by way of ${[...reached].join(", ")}`);
      if (!reached.has(next)) queue.push(...localImports(next));
      reached.add(next);
    }
  }
});

test("only the files of the table use packages", () => {
  for (const path of sources) {
    for (const imported of imports(path).filter((name) => !name.startsWith("."))) {
      const name = Object.keys(PACKAGES).find((known) => imported === known || imported.startsWith(known));
      assert.ok(name !== undefined && PACKAGES[name]?.test(path), `${path} imports ${imported}`);
    }
  }
});

test("a start loads only packages that every request needs", () => {
  const loaded = new Set<string>(["mod.ts", "lib/cli/main.ts"]);
  const packages = new Set<string>();
  for (const path of loaded) {
    for (const name of staticImports(path)) {
      if (name.startsWith(".")) loaded.add(toPath(path, name));
      else packages.add(name);
    }
  }
  assert.deepEqual([...packages].sort(), [
    "@logtape/logtape",
    "eventsource-parser",
    "hono/hono-base",
    "hono/router/trie-router",
    "leven",
    "valibot",
  ]);
});

test("pure rooms have no network, time, randomness or console", () => {
  for (const path of sources) {
    const { pure = false, except = [] } = ROOMS[roomOf(path)] ?? {};
    if (!pure || except.some((name) => path.endsWith(`/${name}.ts`))) continue;
    assert.doesNotMatch(withoutComments(path), IMPURE, `${path} is not pure`);
  }
});

test("only log.ts writes to the console", () => {
  for (const path of sources.filter((file) => file !== "lib/observability/log.ts")) {
    assert.doesNotMatch(withoutComments(path), /\bconsole\./, path);
  }
});

function list(folder: string): string[] {
  try {
    const entries = readdirSync(join(root, folder), { withFileTypes: true });
    return entries.flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      return entry.isDirectory() ? list(path) : [path];
    });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}

/** True if a path is that of the room, or below it. */
function isIn(path: string, room: string): boolean {
  const place = /^(mod\.ts$|tools\b)/.test(room) ? room : `lib/${room}`;
  return path === place || path.startsWith(`${place}/`);
}

function roomOf(path: string): string {
  const rooms = Object.keys(ROOMS).filter((name) => isIn(path, name));
  const found = rooms.sort((one, other) => other.length - one.length)[0];
  assert.ok(found, `${path} belongs to no room`);
  return found;
}

function withoutComments(path: string): string {
  return readFileSync(join(root, path), "utf8").replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
}

function imports(path: string): string[] {
  return [
    ...withoutComments(path).matchAll(/(?:\bfrom|\bimport\(|\bgetBuiltinModule\(|^import)\s*"([^"]+)"/gm),
  ].map((
    [, name = ""],
  ) => name);
}

/** Returns the imports that are loaded with a file: neither types nor calls of `import()`. */
function staticImports(path: string): string[] {
  const found = withoutComments(path).matchAll(/^(?:import|export) (?!type )(?:([^;"]*) from )?"([^"]+)"/gm);
  return [...found].flatMap(([, names = "", name = ""]) => {
    const listed = /^\{([^}]*)\}$/.exec(names.trim())?.[1]?.split(",").map((one) => one.trim()).filter(
      Boolean,
    );
    return listed?.every((one) => one.startsWith("type ")) ? [] : [name];
  });
}

/** Returns the paths of the project's files that a file imports, also by a literal `import()`. */
function localImports(path: string): string[] {
  return imports(path).filter((name) => name.startsWith(".")).map((name) => toPath(path, name));
}

/** Returns the path of an import by its name in a file. */
function toPath(path: string, name: string): string {
  return normalize(join(dirname(path), name)).replaceAll("\\", "/");
}
