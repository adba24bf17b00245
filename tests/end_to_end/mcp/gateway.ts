import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import process from "node:process";
import type { Settings } from "../../../lib/config/settings.ts";
import { systemClock } from "../../../lib/runtime/clock.ts";
import { createGateway } from "../../../mod.ts";

export const ADMIN = "admin-0123456789abcdef";

/** An answer of the gateway, with its body as JSON. */
export type Answer = ReturnType<typeof toAnswer>;

/** Options of {@linkcode withManagedServers}. */
export interface ManagedOptions {
  /** The content of `mcpServers`. */
  servers: object;
  /** Settings beside those of the servers. */
  settings?: Settings;
  /** The `fetch` for upstreams. */
  fetch?: typeof fetch;
  run(gateway: ManagedGateway): Promise<void>;
}

/** A gateway with real MCP servers. */
export interface ManagedGateway {
  /** Sends a request to a path below `/v1`, such as `GET /mcp/servers`, with the admin key. */
  ask(route: string, body?: object): Promise<Answer>;
  fetch(request: Request): Promise<Response>;
  stop(): Promise<void>;
}

/** Defines a test with a gateway, the clock of the system, and managed servers, which are ended afterwards. */
export function withManagedServers(
  name: string,
  options: () => Promise<ManagedOptions> | ManagedOptions,
): void {
  const skip = process.platform === "win32" ? "no process groups on Windows" : false;
  test(name, { skip, timeout: 60_000 }, async () => {
    const { servers, run, settings: more, ...upstream } = await options();
    const folder = mkdtempSync(join(tmpdir(), "mcp-"));
    const path = join(folder, ".mcp.json");
    writeFileSync(path, JSON.stringify({ mcpServers: servers }));
    const settings = {
      GATEWAY_ADMIN_KEY: ADMIN,
      MCP_CONFIG: path,
      OPENROUTER_API_KEY: "sk-or-test",
      ...more,
    };
    const gateway = createGateway({ settings, clock: systemClock, ...upstream });
    try {
      await run({
        ask: async (route, body) => {
          const [method = "", target] = route.split(" ");
          const request = new Request(`http://gateway.test/v1${target}`, {
            method,
            headers: { "x-api-key": ADMIN, ...(body && { "content-type": "application/json" }) },
            ...(body && { body: JSON.stringify(body) }),
          });
          const response = await gateway.fetch(request);
          return toAnswer(response.status, await response.text());
        },
        fetch: (request) => gateway.fetch(request),
        stop: () => gateway.stop(),
      });
    } finally {
      await gateway.stop();
      rmSync(folder, { recursive: true });
    }
  });
}

function toAnswer(status: number, text: string) {
  return { status, text, body: JSON.parse(text) };
}
