import assert from "node:assert/strict";
import { test } from "node:test";
import { readMcpConfig } from "../../lib/config/mcp/mcp_config.ts";
import { parseConfig } from "../../lib/config/parse.ts";
import { listSecrets } from "../../lib/config/secrets.ts";

test("listSecrets() lists keys, passwords and headers, also those of MCP servers", () => {
  const config = parseConfig({
    settings: {
      OPENROUTER_API_KEY: "key-of-openrouter",
      RATE_LIMIT_STORE: "redis://user:pass%20word@localhost",
      UPSTREAMS: {
        ollama: { url: "http://localhost:11434/v1", key: "ollama" },
        other: { url: "http://localhost/v1", key: "key-of-other", headers: { "x-a": "value-a" } },
      },
    },
  });
  const servers = {
    remote: { type: "http", url: "https://mcp.test/", headers: { authorization: "Bearer ${TOKEN}" } },
    local: { command: "npx", env: { MODE: "production" } },
  };
  const mcpServers = readMcpConfig("mcp.json", {
    readText: () => JSON.stringify({ mcpServers: servers }),
    readVariable: (name) => name === "TOKEN" ? "token-of-remote" : undefined,
  });
  assert.deepEqual(
    listSecrets(config, mcpServers).toSorted(),
    [
      "Bearer token-of-remote",
      "key-of-openrouter",
      "key-of-other",
      "pass word",
      "token-of-remote",
      "value-a",
    ],
  );
});
