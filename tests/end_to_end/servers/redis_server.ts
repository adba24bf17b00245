import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { findPort } from "./find_port.ts";

/** A server of Redis or Valkey that a test has started. */
export interface RedisServer {
  port: number;
  stop(): Promise<void>;
}

const PROGRAM = ["redis-server", "valkey-server"].find((name) => spawnSync(name, ["--version"]).status === 0);

/** Reason why no server can run; false if one can. */
export const MISSING: string | false = PROGRAM === undefined ? "no redis-server or valkey-server" : false;
if (MISSING) console.log(`skipped: ${MISSING}`);

/** Starts a server on loopback without persistence, and with a password. */
export async function startRedis(
  { password, port: wanted }: { password: string; port?: number },
): Promise<RedisServer> {
  const port = wanted ?? await findPort();
  const settings = { port, bind: "127.0.0.1", save: "", appendonly: "no", requirepass: password };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = spawn(PROGRAM ?? "", args, { stdio: ["ignore", "pipe", "ignore"] });
  const ended = once(child, "close");
  await new Promise<void>((resolve, reject) => {
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (/Ready to accept connections/.test(output)) resolve();
    });
    child.on("error", reject);
    ended.then(() => reject(new Error(`the server did not start: ${output}`)));
  });
  return {
    port,
    async stop() {
      if (child.pid !== undefined) process.kill(child.pid, "SIGKILL");
      await ended;
    },
  };
}
