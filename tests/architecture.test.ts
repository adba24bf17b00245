import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "node:test";

/** Which files make a room, and which other rooms it may use. A pure room knows no network, time, chance or console. */
interface Room {
  files: string[];
  uses: string[];
  pure?: boolean;
}

const HOUSE: Record<string, Room> = {
  words: {
    files: ["json", "base64url", "version", "redact", "loss", "errors", "host_name", "finite"].map((name) =>
      `lib/${name}.ts`
    ),
    uses: [],
    pure: true,
  },
  world: { files: ["clock", "closing", "ids"].map((name) => `lib/${name}.ts`), uses: ["words"] },
  anthropic: { files: ["lib/anthropic/"], uses: ["words"], pure: true },
  dialect: {
    files: [
      "dialect",
      "envelope",
      "own_tools",
      "retell",
      "origin",
      "openrouter_reasoning",
      "tool_id",
      "fnv",
      "upstream_error",
      "error_names",
      "failure",
      "hints",
      "overflow",
    ].map((
      name,
    ) => `lib/dialects/${name}.ts`),
    uses: ["words", "anthropic"],
    pure: true,
  },
  native: {
    files: ["anthropic", "anthropic_answer", "native_thinking", "cache_marks"].map((name) =>
      `lib/dialects/${name}.ts`
    ),
    uses: ["words", "anthropic", "dialect"],
    pure: true,
  },
  openai: { files: ["lib/dialects/openai/"], uses: ["words", "anthropic", "dialect"], pure: true },
  dialects: {
    files: ["lib/dialects/hosts.ts", "lib/dialects/presets.ts", "lib/dialects/mod.ts"],
    uses: ["dialect", "native", "openai"],
    pure: true,
  },
  settings: {
    files: [
      ...[
        "config",
        "settings",
        "times",
        "values",
        "upstream_map",
        "limit_map",
        "tool_settings",
        "gateway_keys",
        "flags",
      ],
      ...["describe", "exposure"],
    ].map((name) => `lib/${name}.ts`),
    uses: ["words", "dialects", "call"],
    pure: true,
  },
  models: {
    files: [
      ...["models", "upstreams", "model_list", "tokens", "calibration", "price", "bill"].map((name) =>
        `lib/${name}.ts`
      ),
      "lib/tokens/",
    ],
    uses: ["words", "anthropic", "dialects", "settings"],
    pure: true,
  },
  access: { files: ["lib/access/"], uses: ["words", "settings"] },
  record: {
    files: ["lib/observe.ts", "lib/exchange.ts"],
    uses: ["words", "world", "access", "anthropic", "settings", "toolbox"],
  },
  limits: {
    files: ["meter", "period", "draws", "refusal", "rate_headers", "store", "redis_script"].map((name) =>
      `lib/limits/${name}.ts`
    ),
    uses: ["words", "settings"],
    pure: true,
  },
  limiter: {
    files: ["limiter", "memory_store", "redis_store", "spend_file"].map((name) => `lib/limits/${name}.ts`),
    uses: ["words", "world", "settings", "models", "record", "limits"],
  },
  transport: {
    files: [
      "body",
      "bytes",
      "sse",
      "hold",
      "deadline",
      "network",
      "watch",
      "repeat",
      "upstream",
      "upstream_search",
      "catalogue",
      "demo",
      "input_counter",
    ].map((name) => `lib/${name}.ts`),
    uses: ["words", "world", "access", "anthropic", "dialect", "dialects", "models", "call"],
  },
  journey: {
    files: [
      "gateway",
      "loop",
      "route",
      "thread",
      "ask",
      "attempt",
      "retry",
      "fallback",
      "messages",
      "count_tokens",
      "list_models",
      "health",
      ...["opening", "offered", "scene", "with_tools", "toolbox", "tool_metrics"],
    ].map((name) => `lib/${name}.ts`),
    uses: [
      ...["words", "world", "access", "anthropic", "dialects", "settings", "models", "record", "limiter"],
      ...["transport", "loop", "call", "toolbox", "workshop"],
    ],
  },
  front: {
    files: ["lib/app.ts", "lib/create_gateway.ts"],
    uses: ["words", "world", "access", "settings", "models", "record", "limiter", "transport", "journey"],
  },
  call: {
    files: ["call", "clock", "models", "session", "web_errors"].map((name) => `tools/${name}.ts`),
    uses: [],
    pure: true,
  },
  policy: { files: ["tools/policy.ts", "tools/policy/"], uses: ["call"], pure: true },
  machine: { files: ["tools/host/"], uses: ["call", "policy", "material"] },
  tool: { files: ["tools/tool.ts"], uses: ["call", "machine"], pure: true },
  material: {
    files: [
      ...["base64", "file_types", "glob_pattern", "image", "json_elements", "line_pattern", "notebook"],
      ...[
        "notebook_view",
        "page",
        "pdf",
        "replace",
        "replacement",
        "search_text",
        "seen",
        "text",
        "todo_view",
        "untrusted",
      ],
    ].map((name) => `tools/${name}.ts`),
    uses: ["call"],
    pure: true,
  },
  catalogue: {
    files: [
      ...["bash", "edit", "glob", "grep", "ls", "multi_edit", "notebook_edit", "notebook_read", "read"],
      ...["task", "todo_read", "todo_write", "web_fetch", "web_search", "write"],
    ].map((name) => `tools/${name}.ts`),
    uses: ["call", "policy", "machine", "material", "tool"],
    pure: true,
  },
  toolbox: {
    files: ["toolbox", "gate", "metrics", "told_models"].map((name) => `tools/${name}.ts`),
    uses: ["call", "tool"],
  },
  workshop: {
    files: ["tools/mod.ts", "tools/host.ts"],
    uses: ["call", "policy", "machine", "tool", "catalogue", "toolbox"],
  },
  loop: {
    files: ["lib/loop/"],
    uses: ["words", "anthropic", "dialect", "models", "machine", "call", "toolbox"],
    pure: true,
  },
  program: {
    files: ["lib/env.ts", "lib/serve.ts", "lib/cli.ts", "lib/worker.ts", "mod.ts"],
    uses: ["words", "world", "settings", "record", "front"],
  },
};

/** Which files may use a package; what is not named here may be used by none. */
const PACKAGES: Record<string, RegExp> = {
  "valibot": /^(lib|tools)\//,
  "@valibot/to-json-schema": /^tools\/tool\.ts$/,
  "hono": /^lib\/app\.ts$/,
  "eventsource-parser": /^lib\/sse\.ts$/,
  "minisearch": /^lib\/loop\/tool_search\.ts$/,
  "re2js": /^(lib\/loop\/tool_search|tools\/(glob|line)_pattern)\.ts$/,
  "undici": /^lib\/network\.ts$/,
  "leven": /^lib\/(models|flags|upstream_map|limit_map)\.ts$/,
  "ipaddr.js": /^tools\/policy\/address\.ts$/,
  "htmlparser2": /^tools\/host\/web\/pare_html\.ts$/,
  "linkedom": /^tools\/host\/web\/html\.ts$/,
  "@mozilla/readability": /^tools\/host\/web\/html\.ts$/,
  "turndown": /^tools\/host\/web\/html\.ts$/,
  "unpdf": /^tools\/(host\/web\/)?pdf\.ts$/,
  "@logtape/logtape": /^lib\/observe\.ts$/,
  "@hono/node-server": /^lib\/serve\.ts$/,
  "@redis/client": /^lib\/limits\/redis_store\.ts$/,
  "node:": /^(lib\/(env|serve|limits\/spend_file)\.ts$|tools\/host\/)/,
};

const IMPURE =
  /\b(fetch\(|Date\.now|new Date\(\)|Math\.random|crypto\.|setTimeout|setInterval|console\.|performance\.)/;

const root = fileURLToPath(new URL("../", import.meta.url));
const sources = ["mod.ts", ...list("lib"), ...list("tools")].filter((path) => path.endsWith(".ts"));

test("every file has its place in the house", () => {
  for (const path of sources) {
    const rooms = Object.entries(HOUSE).filter(([, { files }]) => files.some((file) => isIn(path, file)));
    assert.equal(rooms.length, 1, `${path} has no place in the house`);
  }
});

test("every room is lived in", () => {
  for (const file of Object.values(HOUSE).flatMap(({ files }) => files)) {
    assert.ok(sources.some((path) => isIn(path, file)), `${file} is in the table, not in the house`);
  }
});

test("a file imports only what its room may use", () => {
  for (const path of sources) {
    const [name, room] = roomOf(path);
    for (const imported of localImports(path)) {
      const [other] = roomOf(imported);
      assert.ok(
        other === name || room.uses.includes(other),
        `${path} (${name}) imports ${imported} (${other})`,
      );
    }
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

test("pure rooms know no network, time, chance or console", () => {
  for (const path of sources.filter((file) => roomOf(file)[1].pure)) {
    assert.doesNotMatch(withoutComments(path), IMPURE, `${path} is not pure`);
  }
});

test("only observe.ts writes to the console", () => {
  for (const path of sources.filter((file) => file !== "lib/observe.ts")) {
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

function isIn(path: string, file: string): boolean {
  return file.endsWith("/") ? path.startsWith(file) : path === file;
}

function roomOf(path: string): [name: string, room: Room] {
  const found = Object.entries(HOUSE).find(([, { files }]) => files.some((file) => isIn(path, file)));
  assert.ok(found, `${path} has no place in the house`);
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
