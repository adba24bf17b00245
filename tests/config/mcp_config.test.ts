import assert from "node:assert/strict";
import { test } from "node:test";
import { readMcpConfig } from "../../lib/config/mcp/mcp_config.ts";
import { ConfigError } from "../../lib/config/parse.ts";

const VARIABLES: Record<string, string> = {
  TOKEN: "ghp-0123456789",
  EMPTY: "",
  NESTED: "${TOKEN}",
  HOST: "mcp.test",
  NUL: "a\0b",
};

function read(entries: unknown) {
  return readText(JSON.stringify({ mcpServers: entries }));
}

function readText(text: string) {
  return readMcpConfig("/etc/.mcp.json", {
    readText: () => text,
    readVariable: (name) => Object.hasOwn(VARIABLES, name) ? VARIABLES[name] : undefined,
  });
}

const DEFAULTS = {
  restartPolicy: "on-failure",
  maxRestarts: 3,
  healthCheck: { enabled: true, intervalMs: 30_000, timeoutMs: 5_000 },
};

const CONFIGS: [entry: object, config: object][] = [
  [{ command: "npx" }, { type: "stdio", command: "npx", args: [], env: {} }],
  [{ type: "stdio", command: "a", args: ["b"], env: { C: "d" }, cwd: "/e" }, {
    ...{ type: "stdio", command: "a", args: ["b"], env: { C: "d" }, cwd: "/e" },
  }],
  [{ command: "a", url: "http://ignored.test" }, { type: "stdio", command: "a", args: [], env: {} }],
  [{ type: "http", url: "http://127.0.0.1:1/mcp" }, {
    ...{ type: "http", url: "http://127.0.0.1:1/mcp", headers: {} },
  }],
  [{ type: "streamable-http", url: "https://${HOST}/mcp", headers: { Authorization: "Bearer ${TOKEN}" } }, {
    ...{ type: "http", url: "https://mcp.test/mcp", headers: { Authorization: "Bearer ghp-0123456789" } },
  }],
  [
    {
      command: "${COMMAND:-node}",
      args: ["${TOKEN}", "--host=${HOST}:${PORT:-80}", "${EMPTY:-none}", "x${EMPTY}y", "${NESTED}"],
      env: { A: "${NONE:-}", B: "$TOKEN", C: "${x%y}" },
      cwd: "/srv/${HOST}",
    },
    {
      type: "stdio",
      command: "node",
      args: ["ghp-0123456789", "--host=mcp.test:80", "none", "xy", "${TOKEN}"],
      env: { A: "", B: "$TOKEN", C: "${x%y}" },
      cwd: "/srv/mcp.test",
    },
  ],
];

for (const [entry, config] of CONFIGS) {
  test(`readMcpConfig() reads ${JSON.stringify(entry)}`, () => {
    assert.deepEqual(read({ one: entry }).map((server) => server.config), [
      { name: "one", ...config, ...DEFAULTS },
    ]);
  });
}

test("readMcpConfig() reads the options of the lifecycle", () => {
  const entry = {
    command: "a",
    restart_policy: "always",
    max_restarts: 0,
    health_check: { enabled: false, interval: 5, timeout: 0.5 },
  };
  const [server] = read({ one: entry });
  const { restartPolicy, maxRestarts, healthCheck } = server?.config ?? {};
  assert.deepEqual([restartPolicy, maxRestarts], ["always", 0]);
  assert.deepEqual(healthCheck, { enabled: false, intervalMs: 5000, timeoutMs: 500 });
});

test("readMcpConfig() omits disabled servers, and names unknown fields", () => {
  const servers = read({
    off: { disabled: true, comand: 1 },
    on: { command: "a", disabled: false, alwaysAllow: ["b"], timeout: 3 },
  });
  assert.deepEqual(servers.map(({ config, unknownFields }) => [config.name, unknownFields]), [
    ["on", ["alwaysAllow", "timeout"]],
  ]);
});

test("readMcpConfig() accepts a file without servers", () => assert.deepEqual(read({}), []));

const MISTAKES: [entries: unknown, mistakes: string[]][] = [
  [undefined, ["mcpServers: expected an object of servers by name"]],
  [[], ["mcpServers: expected an object of servers by name"]],
  [{ a: 1 }, ["mcpServers.a: expected an object"]],
  [{ a: {} }, ["mcpServers.a.command: expected a command"]],
  [{ a: { command: "" } }, ["mcpServers.a.command: expected a command"]],
  [{ a: { command: "${EMPTY}" } }, ["mcpServers.a.command: expected a command"]],
  [{ a: { command: "x", args: "y" } }, ["mcpServers.a.args: expected a list of texts"]],
  [{ a: { command: "x", args: ["y", 1] } }, ["mcpServers.a.args.1: expected a text"]],
  [{ a: { command: "x", env: { B: 1 } } }, ["mcpServers.a.env.B: expected a text"]],
  [{ a: { command: "x", env: { "B=C": "d" } } }, ['mcpServers.a.env: "B=C" is not the name of a variable']],
  [{ a: { command: "x", args: ["${NUL}"] } }, ["mcpServers.a.command: a text has a NUL character"]],
  [{ a: { command: "x", args: ["${NONE}"] }, b: { command: "x", env: { C: "${OTHER}" } } }, [
    "mcpServers.a.args.0: variable NONE is not set, or may not be read",
    "mcpServers.b.env.C: variable OTHER is not set, or may not be read",
  ]],
  [{ a: { command: "x", cwd: "${env:HOME}" } }, [
    'mcpServers.a.cwd: "${env:HOME}" is not a variable; expected ${NAME} or ${NAME:-default}',
  ]],
  [{ a: { url: "http://b.test" } }, [
    "mcpServers.a.type: expected stdio, http or streamable-http, because the server has a url",
  ]],
  [{ a: { type: "sse", url: "http://b.test" } }, [
    "mcpServers.a.type: expected stdio, http or streamable-http",
  ]],
  [{ a: { type: "http" } }, ["mcpServers.a.url: expected a URL"]],
  ...["ftp://b.test", "b", "http://u:p@b.test"].map((url): [unknown, string[]] => [
    { a: { type: "http", url } },
    ["mcpServers.a.url: expected an http or https URL without user name and password"],
  ]),
  [{ a: { type: "http", url: "http://b.test", headers: { "x y": "z" } } }, [
    'mcpServers.a.headers: "x y" is not a header in a single line of ASCII text',
  ]],
  [{ a: { command: "x", restart_policy: "sometimes" } }, [
    "mcpServers.a.restart_policy: expected never, on-failure, always",
  ]],
  [{ a: { command: "x", max_restarts: 1.5 } }, [
    "mcpServers.a.max_restarts: expected a whole number from 0 to 100",
  ]],
  [{ a: { command: "x", health_check: { interval: 0 } } }, [
    "mcpServers.a.health_check.interval: expected seconds from 1 to 3600",
  ]],
  [{ a: { command: "x", health_check: { every: 1 } } }, ["mcpServers.a.health_check.every: unknown field"]],
  [{ workspace: { command: "x" } }, ["mcpServers.workspace: the name means the tools of the gateway"]],
  [{ "a b": { command: "x" } }, [
    'mcpServers: expected names of 1 to 64 letters, digits, ".", "_" and "-", not "a b"',
  ]],
];

for (const [entries, mistakes] of MISTAKES) {
  test(`readMcpConfig() rejects ${JSON.stringify(entries)}`, () => {
    assert.throws(() => read(entries), (error) => {
      assert.ok(error instanceof ConfigError);
      const expected = mistakes.map((mistake) => `Cannot use MCP_CONFIG "/etc/.mcp.json": ${mistake}`);
      assert.deepEqual(error.mistakes, expected);
      return true;
    });
  });
}

test("readMcpConfig() rejects a file that is not JSON, or cannot be read, without its content", () => {
  const cases: [() => string, RegExp][] = [
    [() => '{"secret"', /: it is not valid JSON$/],
    [() => raise(new Error("no such file")), /: no such file$/],
  ];
  for (const [readText, message] of cases) {
    assert.throws(() => readMcpConfig("x", { readText, readVariable: () => undefined }), { message });
  }
});

function raise(error: Error): never {
  throw error;
}

/** Texts of a configuration, and their masked form for the operator. */
const MASKED: [args: string[], shown: string[]][] = [
  [["-y", "@modelcontextprotocol/server-filesystem", "/srv/data"], [
    ...["-y", "@modelcontextprotocol/server-filesystem", "/srv/data"],
  ]],
  [["--api-key", "abc", "--port", "80"], ["--api-key", "[redacted]", "--port", "80"]],
  [["--token=abc", "--verbose=true"], ["--token=[redacted]", "--verbose=true"]],
  [["-e", "GITHUB_PAT=abc", "--env=OTHER=def"], ["-e", "GITHUB_PAT=[redacted]", "--env=OTHER=[redacted]"]],
  [["--header", "X-Any: abc", "-H", "Y: def"], ["--header", "[redacted]", "-H", "[redacted]"]],
  [["postgres://user:pass@db.test/x"], ["postgres://[redacted]@db.test/x"]],
  [["https://h.test/mcp?code=abc&x=y#z"], ["https://h.test/mcp?code=[redacted]&x=[redacted]#z"]],
  [["https://h.test/s/0a1b2c3d4e5f60718293a4b5/mcp"], ["https://h.test/s/[redacted]/mcp"]],
  [["sk-or-v1-0123456789"], ["[redacted]"]],
  [["-u", "name:abc", "--user", "name", "-u", "1000:"], [
    "-u",
    "name:[redacted]",
    "--user",
    "name",
    "-u",
    "1000:",
  ]],
  [["-c", "run --token abc --port 80"], ["-c", "run --token [redacted] --port 80"]],
  [["--passphrase", "abc", "-e", "pass_phrase=def"], [
    "--passphrase",
    "[redacted]",
    "-e",
    "pass_phrase=[redacted]",
  ]],
  [["--token", "${TOKEN}", "--password=${TOKEN}"], ["--token", "${TOKEN}", "--password=${TOKEN}"]],
  [["${TOKEN:-fallback}"], ["${TOKEN}"]],
];

for (const [args, shown] of MASKED) {
  test(`readMcpConfig() shows ${JSON.stringify(args)} without secrets`, () => {
    const [server] = read({ one: { command: "c", args } });
    assert.deepEqual(server?.shown.args, shown);
  });
}

test("readMcpConfig() shows no values of variables and headers, and collects them as secrets", () => {
  const [stdio, http] = read({
    stdio: { command: "c", args: ["--key", "from-args", "${TOKEN}"], env: { A: "plain", B: "${TOKEN}" } },
    http: { type: "http", url: "https://h.test/?k=in-url", headers: { Authorization: "Bearer in-header" } },
  });
  assert.deepEqual(stdio?.shown, {
    name: "stdio",
    type: "stdio",
    command: "c",
    args: ["--key", "[redacted]", "${TOKEN}"],
    environment: { A: "[redacted]", B: "[redacted]" },
    restart_policy: "on-failure",
    max_restarts: 3,
    health_check: { enabled: true, interval: 30, timeout: 5 },
  });
  assert.deepEqual(http?.shown.headers, { Authorization: "[redacted]" });
  assert.equal(http?.shown.url, "https://h.test/?k=[redacted]");
  for (const secret of ["from-args", "ghp-0123456789", "plain"]) {
    assert.ok(stdio?.secrets.includes(secret), secret);
  }
  for (const secret of ["in-url", "Bearer in-header", "in-header"]) {
    assert.ok(http?.secrets.includes(secret), secret);
  }
});
