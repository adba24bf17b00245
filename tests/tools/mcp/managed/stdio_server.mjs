/**
 * An MCP server on stdin and stdout, without dependencies, that a test starts. Arguments set its behaviour at the
 * start; its tools are listed in `TOOLS`.
 */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import process from "node:process";

const options = new Set(process.argv.slice(2));
const TOOLS = ["echo", "environment", "pid", "hang", "exit", "spawn", "flood"];

process.stderr.write(`started with the key ${process.env.SERVER_KEY ?? "(none)"}\n`);
if (options.has("fail")) process.exit(3);
// Many servers print a greeting to stdout, which is not a message.
process.stdout.write("Welcome!\n");
if (options.has("stubborn")) {
  process.on("SIGTERM", () => {});
  setInterval(() => {}, 1000);
}
let pings = 0;

createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method, params } = JSON.parse(line);
  if (options.has("mute")) return;
  if (id === undefined) return;
  if (method === "ping" && options.has("deaf") && ++pings > 0) return;
  const result = answer(method, params);
  if (result === undefined) return;
  process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", id, ...result })}\n`);
});

function answer(method, params) {
  switch (method) {
    case "initialize":
      return {
        result: {
          protocolVersion: params.protocolVersion,
          capabilities: { tools: {} },
          serverInfo: { name: "test", version: "1" },
        },
      };
    case "tools/list":
      return { result: { tools: TOOLS.map((name) => ({ name, inputSchema: { type: "object" } })) } };
    case "tools/call":
      return call(params.name, params.arguments ?? {});
    case "ping":
      return { result: {} };
    default:
      return { error: { code: -32601, message: "Method not found" } };
  }
}

function call(name, input) {
  switch (name) {
    case "echo":
      return text(String(input.text));
    case "environment":
      return text(JSON.stringify(process.env));
    case "pid":
      return text(String(process.pid));
    case "exit":
      return process.exit(input.status ?? 0);
    case "spawn":
      return text(String(start(input.how)));
    case "flood":
      process.stdout.write("x".repeat(input.chars));
      return undefined;
    case "hang":
      process.stderr.write("hanging\n");
      return undefined;
    default:
      return undefined;
  }
}

/** Starts a process that outlives its parent unless it is killed, and returns its id. */
function start(how) {
  const sleep = ["-c", "trap '' TERM; while :; do sleep 1; done"];
  const detached = how === "session";
  return spawn("sh", sleep, { detached, stdio: how === "session" ? "ignore" : "inherit" }).pid;
}

function text(value) {
  return { result: { content: [{ type: "text", text: value }] } };
}
