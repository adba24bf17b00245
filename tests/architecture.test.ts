import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "node:test";

/** What a room may import. A pure room has no network, time, randomness or console; `except` names its impure files. */
interface Room {
  /** Names of rooms, separated by spaces. */
  uses: string;
  pure?: boolean;
  except?: readonly string[];
}

/**
 * The rooms, from the top floor down: `mod.ts`, what is below `lib/` (whose name is left out), what is below `tools/`.
 * A file belongs to the room with the longest name that fits.
 */
const ROOMS: Record<string, Room> = {
  "mod.ts": { uses: "cli gateway.ts config runtime" },
  "worker.ts": { uses: "gateway.ts config observability runtime base" },
  "cli": { uses: "config observability runtime base" },
  "gateway.ts": { uses: "server turns upstreams tokens access limits config observability runtime base" },
  "server": {
    uses:
      "turns server_tools upstreams tokens dialects/mod.ts dialects access limits anthropic config observability runtime base",
  },
  "turns": {
    uses:
      "server_tools upstreams tokens dialects/mod.ts dialects access anthropic json_schema config observability runtime base tools/mod.ts tools/toolbox tools/models.ts",
  },
  "server_tools": {
    uses: "dialects/anthropic dialects anthropic base tools/toolbox tools/host tools/models.ts",
    pure: true,
  },
  "upstreams": { uses: "dialects/mod.ts dialects access config runtime base" },
  "tokens": { uses: "dialects/mod.ts anthropic runtime base", pure: true },
  "dialects/mod.ts": { uses: "dialects/hosts.ts dialects/known_adjustments.ts dialects", pure: true },
  "dialects/known_adjustments.ts": { uses: "dialects config", pure: true },
  "dialects/hosts.ts": {
    uses: "dialects/presets.ts dialects/anthropic dialects/openai dialects/responses dialects config",
    pure: true,
  },
  "dialects/presets.ts": { uses: "dialects/openai dialects/responses config", pure: true },
  "dialects/anthropic": { uses: "dialects anthropic base", pure: true },
  "dialects/openai": { uses: "dialects anthropic json_schema base", pure: true },
  "dialects/responses": { uses: "dialects anthropic json_schema base", pure: true },
  "dialects": { uses: "anthropic json_schema base", pure: true },
  "access": { uses: "config base" },
  "limits": {
    uses: "config observability runtime base",
    pure: true,
    except: ["limiter", "memory_store", "redis_store", "spend_file"],
  },
  "anthropic": { uses: "base", pure: true },
  "json_schema": { uses: "base", pure: true },
  "config": { uses: "base tools/call.ts", pure: true },
  "observability": { uses: "base tools/toolbox" },
  "runtime": { uses: "base" },
  "base": { uses: "", pure: true },
  "tools/mod.ts": {
    uses:
      "tools/create_host.ts tools/toolbox tools/files tools/shell tools/web tools/planning tools/tool.ts tools/host tools/policy tools/clock.ts tools/call.ts",
  },
  "tools/create_host.ts": { uses: "tools/tool.ts tools/host tools/policy tools/clock.ts" },
  "tools/toolbox": {
    uses: "tools/tool.ts tools/session.ts tools/errors.ts tools/models.ts tools/clock.ts tools/call.ts",
  },
  "tools/files": {
    uses:
      "tools/tool.ts tools/host tools/patterns tools/formats tools/session.ts tools/errors.ts tools/call.ts",
    pure: true,
  },
  "tools/shell": { uses: "tools/tool.ts tools/host tools/policy tools/errors.ts", pure: true },
  "tools/web": { uses: "tools/tool.ts tools/host tools/models.ts", pure: true },
  "tools/planning": { uses: "tools/tool.ts tools/session.ts tools/errors.ts", pure: true },
  "tools/tool.ts": {
    uses: "tools/host tools/session.ts tools/errors.ts tools/models.ts tools/call.ts",
    pure: true,
  },
  "tools/host": { uses: "tools/policy tools/patterns tools/errors.ts tools/models.ts tools/clock.ts" },
  "tools/policy": { uses: "tools/errors.ts tools/call.ts", pure: true },
  "tools/patterns": { uses: "tools/errors.ts", pure: true },
  "tools/formats": { uses: "tools/errors.ts tools/call.ts", pure: true },
  "tools/session.ts": { uses: "tools/errors.ts", pure: true },
  "tools/errors.ts": { uses: "", pure: true },
  "tools/models.ts": { uses: "", pure: true },
  "tools/clock.ts": { uses: "" },
  "tools/call.ts": { uses: "", pure: true },
};

/** Which files may use a package; what is not named here may be used by none. */
const PACKAGES: Record<string, RegExp> = {
  "valibot": /^(lib|tools)\//,
  "@valibot/to-json-schema": /^tools\/tool\.ts$/,
  "hono": /^lib\/server\/app\.ts$/,
  "eventsource-parser": /^lib\/upstreams\/read_events\.ts$/,
  "minisearch": /^lib\/server_tools\/tool_search\.ts$/,
  "re2js":
    /^(lib\/(server_tools\/tool_search|json_schema\/pattern)|tools\/patterns\/(glob|line)_pattern)\.ts$/,
  "undici": /^lib\/runtime\/fetch\.ts$/,
  "leven":
    /^lib\/(upstreams\/resolve|cli\/flags|config\/upstreams|config\/limits|server\/nearest_route)\.ts$/,
  "ipaddr.js": /^tools\/policy\/address\.ts$/,
  "htmlparser2": /^tools\/host\/web\/trim_html\.ts$/,
  "linkedom": /^tools\/host\/web\/html\.ts$/,
  "@mozilla/readability": /^tools\/host\/web\/html\.ts$/,
  "turndown": /^tools\/host\/web\/html\.ts$/,
  "unpdf": /^tools\/host\/pdf\/read_pdf\.ts$/,
  "@logtape/logtape": /^lib\/observability\/log\.ts$/,
  "@hono/node-server": /^lib\/runtime\/serve\.ts$/,
  "@redis/client": /^lib\/limits\/redis_store\.ts$/,
  "node:": /^(lib\/(runtime\/(process|serve)|limits\/spend_file)\.ts$|tools\/host\/)/,
};

const IMPURE =
  /\b(fetch\(|Date\.now|new Date\(\)|Math\.random|crypto\.|setTimeout|setInterval|console\.|performance\.)/;

const root = fileURLToPath(new URL("../", import.meta.url));
const sources = ["mod.ts", ...list("lib"), ...list("tools")].filter((path) => path.endsWith(".ts"));

test("every file belongs to a room", () => {
  for (const path of sources) roomOf(path);
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

test("data flows one way: no file imports itself by a detour", () => {
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

test("packages are used where the table says, and nowhere else", () => {
  for (const path of sources) {
    for (const imported of imports(path).filter((name) => !name.startsWith("."))) {
      const name = Object.keys(PACKAGES).find((known) => imported === known || imported.startsWith(known));
      assert.ok(name !== undefined && PACKAGES[name]?.test(path), `${path} imports ${imported}`);
    }
  }
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

/** Imports of files of the house that are followed as soon as the file is loaded; a lazy `import()` of mod.ts is not. */
function localImports(path: string): string[] {
  const local = imports(path).filter((name) => name.startsWith("."));
  return local.map((name) => normalize(join(dirname(path), name)).replaceAll("\\", "/"));
}
