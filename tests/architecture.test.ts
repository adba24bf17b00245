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
      "origin",
      "openrouter_reasoning",
      "tool_id",
      "upstream_error",
      "error_names",
      "failure",
      "overflow",
    ].map((
      name,
    ) => `lib/dialects/${name}.ts`),
    uses: ["words", "anthropic"],
    pure: true,
  },
  native: {
    files: ["anthropic", "anthropic_answer", "native_thinking"].map((name) => `lib/dialects/${name}.ts`),
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
      "config",
      "times",
      "values",
      "upstream_map",
      "limit_map",
      "gateway_keys",
      "flags",
      "describe",
      "exposure",
    ]
      .map((name) => `lib/${name}.ts`),
    uses: ["words", "dialects"],
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
    uses: ["words", "world", "access", "anthropic", "settings"],
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
      "catalogue",
      "demo",
      "input_counter",
    ].map((name) => `lib/${name}.ts`),
    uses: ["words", "world", "access", "anthropic", "dialect", "dialects", "models"],
  },
  journey: {
    files: [
      "gateway",
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
    ].map((name) => `lib/${name}.ts`),
    uses: [
      "words",
      "world",
      "access",
      "anthropic",
      "dialects",
      "settings",
      "models",
      "record",
      "limiter",
      "transport",
    ],
  },
  front: {
    files: ["lib/app.ts", "lib/create_gateway.ts"],
    uses: ["words", "world", "access", "settings", "models", "record", "limiter", "transport", "journey"],
  },
  program: {
    files: ["lib/env.ts", "lib/serve.ts", "lib/cli.ts", "lib/worker.ts", "mod.ts"],
    uses: ["words", "world", "settings", "record", "front"],
  },
};

/** Which files may use a package; what is not named here may be used by none. */
const PACKAGES: Record<string, RegExp> = {
  "valibot": /^lib\//,
  "hono": /^lib\/app\.ts$/,
  "eventsource-parser": /^lib\/sse\.ts$/,
  "undici": /^lib\/network\.ts$/,
  "leven": /^lib\/(models|flags|upstream_map|limit_map)\.ts$/,
  "@logtape/logtape": /^lib\/observe\.ts$/,
  "@hono/node-server": /^lib\/serve\.ts$/,
  "@redis/client": /^lib\/limits\/redis_store\.ts$/,
  "node:": /^lib\/(env|serve|limits\/spend_file)\.ts$/,
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
