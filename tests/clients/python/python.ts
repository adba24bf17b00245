import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { after } from "node:test";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { killAtExit, killNow } from "../kit/children.ts";
import { proxiedEnvironment, type Proxy, startProxy } from "../kit/proxy.ts";
import { PYTHON } from "./home.ts";
import { CLIENT_KEY, test, type Testbed } from "../kit/testbed.ts";

/** Runs a case of a script. */
export type RunCase = (...args: string[]) => Promise<void>;

/**
 * Returns a function that runs a case of a script beside this file against the gateway, and fails with the error of the
 * case. All cases have one process, which each is forked from, because loading the packages takes longer than a case.
 */
export function setPython(script: string, testbed: Testbed): RunCase {
  let started: Promise<Python> | undefined;
  after(async () => await (await started)?.stop());
  return async (...args) => {
    started ??= startPython(script, testbed.url);
    const { ask, proxy } = await started;
    assert.equal(await ask(args), "", script);
    assert.deepEqual(proxy.sought, []);
  };
}

interface Python {
  proxy: Proxy;
  /** Runs a case, and returns the error, or an empty text. */
  ask(args: readonly string[]): Promise<string>;
  stop(): Promise<void>;
}

async function startPython(script: string, url: string): Promise<Python> {
  const proxy = await startProxy();
  const child = spawn(PYTHON, ["-B", fileURLToPath(new URL(script, import.meta.url))], {
    cwd: tmpdir(),
    env: {
      ...proxiedEnvironment(proxy),
      HOME: tmpdir(),
      ANTHROPIC_BASE_URL: url,
      ANTHROPIC_API_KEY: CLIENT_KEY,
    },
    detached: true,
    stdio: ["pipe", "pipe", "inherit"],
  });
  killAtExit(child, { group: true });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    proxy,
    async ask(args) {
      child.stdin.write(`${JSON.stringify(args)}\n`);
      const { done, value } = await lines.next();
      return done ? `${script} has ended` : JSON.parse(value);
    },
    async stop() {
      await stop(child);
      await proxy.close();
    },
  };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  killNow(child, { group: true });
  await once(child, "close");
}

/** Declares a test that waits for Python, which takes its time to begin. */
export function testPython(name: string, run: () => Promise<void>): void {
  test(name, run, 90);
}
