import { spawn, spawnSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findPort } from "./find_port.ts";

/** A Restate server that a test has started. It signs its requests. */
export interface RestateServer {
  ingressUrl: string;
  /** The public key of its signatures. */
  identityKey: string;
  /** Registers the gateways at an address. */
  register(uri: string): Promise<Response>;
  stop(): Promise<void>;
}

/** Path of the server's program: CI installs the package `@restatedev/restate-server` outside of the project. */
const PROGRAM = process.env["RESTATE_SERVER"] ?? "restate-server";

/** Reason why no server can run; false if one can. */
export const NO_RESTATE: string | false = whyMissing();
if (NO_RESTATE) console.log(`skipped: ${NO_RESTATE}`);

/** Starts a server on loopback in a new folder. */
export async function startRestate(): Promise<RestateServer> {
  const root = mkdtempSync(join(tmpdir(), "restate-"));
  const [ingress, admin, node] = [await findPort(), await findPort(), await findPort()];
  const { privateKey } = generateKeyPairSync("ed25519");
  writeFileSync(join(root, "key.pem"), privateKey.export({ type: "pkcs8", format: "pem" }));
  writeFileSync(
    join(root, "restate.toml"),
    `
default-num-partitions = 1
disable-telemetry = true
rocksdb-total-memory-size = "256 MiB"
[worker.invoker]
request-identity-private-key-pem-file = "${root}/key.pem"
[ingress]
bind-address = "127.0.0.1:${ingress}"
[admin]
bind-address = "127.0.0.1:${admin}"
`,
  );
  const args = ["--no-logo", "--listen-mode", "tcp", "--bind-ip", "127.0.0.1", "--bind-port", String(node)];
  const files = ["--base-dir", join(root, "data"), "--config-file", join(root, "restate.toml")];
  const child = spawn(PROGRAM, [...args, ...files], { stdio: ["ignore", "pipe", "pipe"] });
  const ended = once(child, "close");
  let output = "";
  const identityKey = await new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
        const key = /publickeyv1_\w+/.exec(output)?.[0];
        if (key !== undefined) resolve(key);
      });
    }
    child.on("error", reject);
    ended.then(() => reject(new Error(`the server did not start: ${output}`)));
  });
  for (const url of [`http://127.0.0.1:${admin}/health`, `http://127.0.0.1:${ingress}/restate/health`]) {
    while (!(await fetch(url).then(({ ok }) => ok, () => false))) {
      if (child.exitCode !== null) throw new Error(`the server ended: ${output}`);
    }
  }
  return {
    ingressUrl: `http://127.0.0.1:${ingress}`,
    identityKey,
    register: (uri) =>
      fetch(`http://127.0.0.1:${admin}/deployments`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ uri, use_http_11: true, force: true }),
      }),
    async stop() {
      if (child.pid !== undefined) process.kill(child.pid, "SIGKILL");
      await ended;
      rmSync(root, { recursive: true, force: true });
    },
  };
}

function whyMissing(): string | false {
  if (!("withResolvers" in Promise)) return "Restate's SDK needs Node 22, Deno or Bun";
  const found = spawnSync(PROGRAM, ["--version"]).status === 0;
  return found ? false : "no restate-server; the package @restatedev/restate-server has it";
}
