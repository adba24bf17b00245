import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findPort } from "./find_port.ts";

/** A PostgreSQL server that a test has started. */
export interface PostgresServer {
  /** Creates an empty database and returns its URL, with a password. */
  newDatabase(): Promise<string>;
  /** Ends the server, and starts it again at the same port. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Password of the databases' owner. */
export const PASSWORD = "hidden-word";

const FOLDER = findFolder();
const IS_ROOT = process.getuid?.() === 0;

/** Reason why no server can run; false if one can. */
export const NO_POSTGRES: string | false = whyMissing();
if (NO_POSTGRES) console.log(`skipped: ${NO_POSTGRES}`);

/** Starts a server on loopback in a new folder. */
export async function startPostgres(): Promise<PostgresServer> {
  const root = mkdtempSync(join(tmpdir(), "postgres-"));
  const data = join(root, "data");
  const passwordFile = join(root, "password");
  writeFileSync(passwordFile, PASSWORD);
  if (IS_ROOT) check("chown", ["-R", "postgres", root]);
  const [initdb, ...initArgs] = asUser("initdb", [
    ...["-D", data, "-U", "gateway", "-A", "scram-sha-256", "--pwfile", passwordFile, "--no-sync"],
    ...["-E", "UTF8", "--locale", "C"],
  ]);
  check(initdb, initArgs);
  const port = await findPort();
  let server = await run(data, { port, root });
  let count = 0;
  return {
    async newDatabase() {
      const name = `test_${++count}`;
      const { default: postgres } = await import("postgres");
      const sql = postgres(toUrl(port, "postgres"), { max: 1, onnotice: () => {} });
      await sql.unsafe(`CREATE DATABASE ${name}`);
      await sql.end();
      return toUrl(port, name);
    },
    async restart() {
      await end(server);
      server = await run(data, { port, root });
    },
    async stop() {
      await end(server);
      rmSync(root, { recursive: true, force: true });
    },
  };
}

function toUrl(port: number, database: string): string {
  return `postgres://gateway:${PASSWORD}@127.0.0.1:${port}/${database}`;
}

async function run(data: string, { port, root }: { port: number; root: string }): Promise<ChildProcess> {
  const settings = [
    ...["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "max_connections=60"],
    ...["-c", "shared_buffers=16MB", "-k", root, "-p", String(port)],
  ];
  const [file, ...args] = asUser("postgres", ["-D", data, ...settings]);
  const child = spawn(file, args, { stdio: ["ignore", "ignore", "pipe"] });
  await new Promise<void>((resolve, reject) => {
    let output = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (/ready to accept connections/.test(output)) resolve();
    });
    child.on("error", reject);
    child.on("close", () => reject(new Error(`the server did not start: ${output}`)));
  });
  return child;
}

/** Ends a server at once: it ends its connections. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.pid === undefined) return;
  const ended = once(child, "close");
  process.kill(child.pid, "SIGINT");
  await ended;
}

/** Returns a command of the server with a user that is not root. */
function asUser(name: string, args: string[]): [file: string, ...args: string[]] {
  const file = join(FOLDER ?? "", name);
  return IS_ROOT
    ? ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups", file, ...args]
    : [file, ...args];
}

function check(file: string, args: string[]): void {
  const { status, stderr } = spawnSync(file, args, { encoding: "utf8", cwd: tmpdir() });
  if (status !== 0) throw new Error(`${file} failed: ${stderr}`);
}

/** Returns the folder of the newest server's programs, which distributions keep outside of `PATH`. */
function findFolder(): string | undefined {
  const versions = "/usr/lib/postgresql";
  const folders = [
    ...(process.env["PATH"] ?? "").split(":"),
    ...(existsSync(versions) ? readdirSync(versions).sort().map((name) => `${versions}/${name}/bin`) : []),
  ];
  return folders.findLast((folder) => ["initdb", "postgres"].every((name) => existsSync(join(folder, name))));
}

function whyMissing(): string | false {
  if (FOLDER === undefined) return "no PostgreSQL server";
  if (!IS_ROOT) return false;
  const hasUser = spawnSync("id", ["postgres"]).status === 0 &&
    spawnSync("setpriv", ["--version"]).status === 0;
  return hasUser ? false : "no account or no setpriv for a PostgreSQL server";
}
