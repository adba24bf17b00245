import assert from "node:assert/strict";
import { test } from "node:test";
import { SETTING_NAMES, SETTINGS } from "../../lib/config/settings.ts";
import { readMcpConfig } from "../../lib/config/mcp/mcp_config.ts";
import { describeConfig, describeServers, helpText } from "../../lib/cli/help.ts";
import { readFlags } from "../../lib/cli/flags.ts";

test("helpText() lists every setting with its default", () => {
  const lines = helpText().split("\n");
  for (const name of SETTING_NAMES) {
    const { flag, default: fallback } = SETTINGS[name];
    const line = lines.find((line) => line.startsWith(`  ${flag} `)) ?? "";
    assert.ok(line.includes(name) && line.includes(fallback ?? ""), `${flag}: ${line}`);
  }
});

test("helpText() states that other users can read flags", () => {
  assert.match(helpText(), /^Other users of this machine can read the flags of a running program/m);
});

test("describeConfig() lists each setting with its value and source", () => {
  const sources = {
    flags: readFlags([
      "--port=1",
      "--model-map",
      '{"a":"b","c":{"model":"d","options":{"e":"f"},"fallbacks":["g",{"model":"h","upstream":"i"}]}}',
      "--host=",
      "--upstreams",
      '{"i":{"url":"http://localhost:1/v1","key":"hidden","headers":{"x-hidden":"hidden"}}}',
    ]),
    env: {
      OPENROUTER_API_KEY: "0123456789",
      GATEWAY_API_KEYS: "hidden-0123456789,bob:hidden-9876543210",
      GATEWAY_ADMIN_KEY: "hidden-hidden-hidden",
      MODEL_ACCESS: '{"bob": ["openai/*", "fast"], "*": []}',
      CORS_ORIGINS: "https://a.test,*",
      TOOLS: "files-read, network",
    },
  };
  const lines = describeConfig(sources).split("\n").map((line) => line.trim().replace(/ {2,}/, " "));
  assert.deepEqual(lines, [
    "PORT 1 (--port)",
    "HOST invalid (--host)",
    "GATEWAY_API_KEYS key-1, bob (environment)",
    "GATEWAY_ADMIN_KEY set (environment)",
    "KEY_STORE not set (default)",
    "SIGN_IN off (default)",
    "MODEL_ACCESS bob: openai/* fast, *: none (environment)",
    "OPEN_ACCESS off (default)",
    "ALLOWED_HOSTS not set (default)",
    "CORS_ORIGINS https://a.test, * (environment)",
    "OPENROUTER_API_KEY set (10 characters) (environment)",
    "OPENROUTER_BASE_URL https://openrouter.ai/api/v1 (default)",
    "UPSTREAMS i -> http://localhost:1/v1 (--upstreams)",
    "ANTHROPIC_MODEL anthropic/claude-opus-5.5 (default)",
    "ANTHROPIC_SMALL_FAST_MODEL anthropic/claude-haiku-5.5 (default)",
    "AUTO_MODE_MODEL not set (default)",
    "MODEL_MAP a -> b, c -> d, else g, else h (--model-map)",
    "UPSTREAM_DIALECT auto (default)",
    "VALIDATION lenient (default)",
    "REQUEST_TIMEOUT 3600 (default)",
    "CONNECT_TIMEOUT 10 (default)",
    "FIRST_BYTE_TIMEOUT 300 (default)",
    "IDLE_TIMEOUT 120 (default)",
    "UPSTREAM_RETRIES 0 (default)",
    "COOLDOWN 5 (default)",
    "COOLDOWN_MAX 300 (default)",
    "HEADER_TIMEOUT 10 (default)",
    "BODY_TIMEOUT 60 (default)",
    "SHUTDOWN_TIMEOUT 30 (default)",
    "HOLD_TIMEOUT 10 (default)",
    "PING_INTERVAL 10 (default)",
    "COERCE_TOOL_INPUT on (default)",
    "TOOL_CALLS_IN_TEXT auto (default)",
    "STRUCTURED_MAX_RETRIES 3 (default)",
    "STRUCTURED_STREAM hold (default)",
    'LIMITS {"each":{"concurrent":1000},"total":{},"session":{},"keys":{}} (default)',
    "BODY_MEMORY 256 (default)",
    "RATE_LIMIT_STORE memory (default)",
    "STATE_DIR not set (default)",
    "DATA_DIR not set (default)",
    "DATA_URL not set (default)",
    "DATA_QUOTA 10240 (default)",
    "BATCH_CONCURRENCY 10 (default)",
    "RESTATE_INGRESS_URL not set (default)",
    "RESTATE_IDENTITY_KEYS not set (default)",
    "TOOLS files-read, network (environment)",
    "WORKSPACE_ROOT not set (default)",
    "MCP_CONFIG not set (default)",
    "TOOL_TIMEOUT 30 (default)",
    "TOOL_CONCURRENCY 5 (default)",
    "TOOL_RATE 100 (default)",
    "TOOL_TURNS 10 (default)",
    "SHELL_SANDBOX required (default)",
    "SHELL_NETWORK off (default)",
    "WEB_FETCH_ALLOW_HOSTS not set (default)",
    "WEB_SEARCH openrouter (default)",
    "WEB_SEARCH_MAX_USES 20 (default)",
    "WEB_SEARCH_URL not set (default)",
    "WEB_SEARCH_KEY not set (default)",
    "MCP_CONNECTORS on (default)",
    "MCP_CONNECT_TIMEOUT 10 (default)",
    "MCP_RESULT_CHARS 200000 (default)",
    "LOG_LEVEL info (default)",
    "LOG_COMPONENTS not set (default)",
    "LOG_FORMAT json (default)",
    "LOG_DIR not set (default)",
    "LOG_RETENTION 7 (default)",
    "LOG_BODIES off (default)",
    "RECORD_DIR not set (default)",
    "ENVIRONMENT production (default)",
  ]);
});

test("describeConfig() marks settings that are not set", () => {
  assert.match(describeConfig({}), /OPENROUTER_API_KEY +not set \(default\)/);
  assert.match(describeConfig({}), /MODEL_MAP +none \(default\)/);
});

test("describeServers() lists each MCP server, and fields that are ignored", () => {
  const read = (mcpServers: object) =>
    readMcpConfig(".mcp.json", {
      readText: () => JSON.stringify({ mcpServers }),
      readVariable: () => undefined,
    });
  const servers = read({
    files: { command: "npx", timeout: 1, alwaysAllow: [] },
    remote: { type: "http", url: "https://mcp.test/?key=hidden" },
  });
  assert.equal(
    describeServers(servers),
    '  MCP server files   stdio; ignored: "timeout", "alwaysAllow"\n  MCP server remote  http',
  );
  assert.equal(describeServers([]), "  MCP_CONFIG has no servers");
});
