import { type ChildProcess, fork, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Api } from "./answers.ts";
import type { UpstreamOrder, UpstreamPlan } from "./upstream.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** A runtime. */
export interface BenchRuntime {
  name: string;
  /** The command before the name of a TypeScript file. */
  command: readonly string[];
  /** The command of docs/runtimes.md that starts the gateway. */
  gateway: readonly string[];
}

/** A server that requests are sent to. */
export interface Target {
  name: string;
  /** Base URL, without a slash at its end. */
  url: string;
  pid: number;
  api: Api;
  stop(): Promise<void>;
}

/** Starts a target whose upstream has the given URL. */
export type StartTarget = (upstreamUrl: string) => Promise<Target>;

/**
 * Returns the runtimes by their names: `node`, `deno`, `bun`, or the path of another Node.js.
 *
 * @throws if one is missing.
 */
export function toRuntime(name: string): BenchRuntime {
  const bin = (program: string) => `${ROOT}node_modules/.bin/${program}`;
  const same = (command: readonly string[]) => ({ name, command, gateway: [...command, "mod.ts"] });
  if (name === "deno") return same([bin("deno"), "run", "--no-prompt", "--allow-net"]);
  if (name === "bun") return same([bin("bun"), "run"]);
  const path = name === "node" ? process.execPath : name;
  const { status, stdout } = spawnSync(path, ["-p", "[process.version, process.features.typescript]"]);
  const [, major] = /v(\d+)/.exec(String(stdout)) ?? [];
  if (status !== 0 || major === undefined) {
    throw new Error(`Cannot measure on "${name}": it is not node, deno, bun or the path of a Node.js`);
  }
  const runsTypeScript = String(stdout).includes("strip");
  return {
    name: `node${major}`,
    command: runsTypeScript ? [path] : [path, "--import", "tsx"],
    gateway: [path, "--import", "./build/preload.mjs", "dist/mod.js"], // as `npm start`
  };
}

/** Returns functions that start the gateway, with further arguments, and the baselines on a runtime. */
export function targetsOn(
  runtime: BenchRuntime,
  gatewayArgs: readonly string[] = [],
): Record<"gateway" | "pass_through" | "translator", StartTarget> {
  const baseline = (name: string, api: Api): StartTarget => async (upstream) =>
    await start(runtime.command, {
      name,
      api,
      args: [`tests/bench/${name}.ts`, upstream],
      pattern: /^(http:\S+)$/m,
    });
  return {
    gateway: async (upstream) =>
      await start(runtime.gateway, {
        name: "gateway",
        api: "messages",
        args: [
          "--port",
          "0",
          "--upstream",
          `${upstream}/v1`,
          "--api-key",
          "bench-upstream-key",
          ...gatewayArgs,
        ],
        pattern: /^ANTHROPIC_BASE_URL=(\S+)$/m,
      }),
    pass_through: baseline("pass_through", "chat"),
    translator: baseline("translator", "messages"),
  };
}

/** Running processes. They end with the benchmark. */
const children = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of children) child.kill("SIGKILL");
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1));

async function start(
  [file = "", ...commandArgs]: readonly string[],
  { name, api, args, pattern }: { name: string; api: Api; args: readonly string[]; pattern: RegExp },
): Promise<Target> {
  const env: NodeJS.ProcessEnv = { ...process.env, NO_COLOR: "1" };
  // Bun's `fetch` opens at most 256 connections by default. The gateway is measured with the default.
  if (name !== "gateway") env.BUN_CONFIG_MAX_HTTP_REQUESTS = "65000";
  const child = spawn(file, [...commandArgs, ...args], { cwd: ROOT, env, stdio: ["ignore", "pipe", "pipe"] });
  children.add(child.once("exit", () => children.delete(child)));
  const url = await findInOutput(child, pattern);
  return {
    name,
    api,
    url,
    pid: child.pid ?? 0,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

/** Waits for the first group of a pattern in the output of a program, and discards the rest. */
function findInOutput(child: ChildProcess, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = "";
    let found = false;
    const add = (text: string) => {
      if (found) return;
      output += text;
      const [, group] = pattern.exec(output) ?? [];
      found = group !== undefined;
      if (group !== undefined) resolve(group);
    };
    child.stdout?.setEncoding("utf8").on("data", add);
    child.stderr?.setEncoding("utf8").on("data", add);
    child.on("error", reject);
    child.on(
      "exit",
      (status) => reject(new Error(`${child.spawnargs.join(" ")} ended with ${status}: ${output}`)),
    );
  });
}

/** The upstream, in a separate process. */
export interface BenchUpstream extends Target {
  /** Sets the answers to later requests. */
  plan(plan: UpstreamPlan): Promise<void>;
  /** Ends the streams that it holds. */
  release(): Promise<void>;
}

/** Starts the upstream on a port; 0: any free one. */
export async function startUpstream(wantedPort = 0): Promise<BenchUpstream> {
  const child = fork(fileURLToPath(new URL("upstream.ts", import.meta.url)), [String(wantedPort)]);
  const port = await new Promise<number>((resolve, reject) => {
    child.once("message", (message: { port: number }) => resolve(message.port));
    child.once(
      "exit",
      () => reject(new Error(`Cannot start the upstream on port "${wantedPort}": it ended`)),
    );
  });
  let orders = 0;
  const order = async (content: { plan: UpstreamPlan } | { release: true }) => {
    const message: UpstreamOrder = { id: orders++, ...content };
    child.send(message);
    for (let id = -1; id !== message.id;) [{ id }] = await once(child, "message");
  };
  return {
    name: "direct",
    url: `http://127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    api: "chat",
    plan: (plan) => order({ plan }),
    release: () => order({ release: true }),
    async stop() {
      child.disconnect();
      await once(child, "exit");
    },
  };
}

/** Reads a target from the command line: `NAME=URL,PID`, a gateway for Anthropic's API that runs already. @throws */
export function toOtherTarget(option: string): Target {
  const [, name = "", url = "", pid] = /^([^=]+)=(http.+),(\d+)$/.exec(option) ?? [];
  if (pid === undefined) throw new Error(`Cannot measure the target "${option}": it is not NAME=URL,PID`);
  if (!existsSync(`/proc/${pid}`)) {
    throw new Error(`Cannot measure the target "${option}": no process is ${pid}`);
  }
  return { name, url, pid: Number(pid), api: "messages", stop: async () => {} };
}
