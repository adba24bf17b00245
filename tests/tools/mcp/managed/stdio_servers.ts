import process from "node:process";
import { fileURLToPath } from "node:url";
import { systemClock } from "../../../../lib/runtime/clock.ts";
import type { McpConnection } from "../../../../tools/mcp/connection.ts";
import { createManagedServers, type ServerControl } from "../../../../tools/mcp/managed/managed_servers.ts";
import { readProcessTable } from "../../../../tools/mcp/managed/process_table.ts";
import type { ServerConfig, StdioServer } from "../../../../tools/mcp/managed/server_config.ts";

const SCRIPT = fileURLToPath(new URL("stdio_server.mjs", import.meta.url));

/** A signal that is never aborted. */
export const never: AbortSignal = new AbortController().signal;

/** Returns the command that runs `stdio_server.mjs` on the runtime of the test. */
export function serverCommand(...options: string[]): Pick<StdioServer, "command" | "args"> {
  const run = process.versions.deno === undefined ? [] : ["run", "--no-prompt", "--allow-all"];
  return { command: process.execPath, args: [...run, SCRIPT, ...options] };
}

/** Creates a managed server called `a`, which is a process. */
export function createStdioServers(fields: Partial<StdioServer> = {}): ServerControl {
  const config: ServerConfig = {
    ...{ name: "a", type: "stdio", env: { SERVER_KEY: "0123456789-key" } },
    ...serverCommand(),
    ...fields,
    ...{ restartPolicy: "on-failure", maxRestarts: 3 },
    healthCheck: { enabled: true, intervalMs: 30_000, timeoutMs: 5_000 },
  };
  return createManagedServers({
    configs: [config],
    client: { name: "test", version: "1" },
    inherited: { PATH: process.env.PATH ?? "", HOME: "/nowhere" },
    maxResultChars: 10_000,
    clock: systemClock,
    redact: (_name, text) => text.replaceAll("0123456789-key", "[redacted]"),
    onChange: () => {},
  });
}

/** Calls a tool, and returns the text of its result. */
export async function call(connection: McpConnection, tool: string, input = {}): Promise<string> {
  const { content } = await connection.callTool(tool, input, never);
  return content.map((piece) => piece.type === "text" ? piece.text : piece.type).join();
}

/** True if a process runs; false if it has ended and was not yet collected. */
export async function runs(pid: number): Promise<boolean> {
  return (await readProcessTable() ?? []).some((entry) => entry.pid === pid);
}
