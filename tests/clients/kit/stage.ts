import assert from "node:assert/strict";
import { after, afterEach, before, it } from "node:test";
import { type Gateway, startGateway } from "./gateway.ts";
import { readSent, type Sent } from "./sent.ts";
import { type Asked, startUpstream, type Upstream } from "./upstream.ts";

/** The key that the gateway under test has for its upstream. */
export const GATEWAY_KEY = "sk-or-v1-of-the-gateway";

/** The key that clients send. */
export const CLIENT_KEY = "key-of-the-client";

/** A way through the gateway: by translation to chat completions, or as it is to `/messages`. */
export interface Road {
  name: "translated" | "native";
  model: string;
  /** Where the upstream must have been asked. */
  path: string;
  /** Ids of tool calls as this upstream gives them; the second is not legal in Anthropic's language on the first road. */
  ids: [string, string];
}

/** By translation. */
export const TRANSLATED: Road = {
  name: "translated",
  model: "openai/gpt-5",
  path: "/api/v1/chat/completions",
  ids: ["call_8I6muAnyFaBjKyotk1gPRTwU", "functions.weather:1"],
};

/** As it is. */
export const NATIVE: Road = {
  name: "native",
  model: "anthropic/claude-sonnet-4.5",
  path: "/api/v1/messages",
  ids: ["toolu_01A09q90qw90lq917835lq9", "toolu_01B09q90qw90lq917835lq9"],
};

/** Both ways through the gateway. */
export const ROADS: Road[] = [TRANSLATED, NATIVE];

/** Declares a test that fails, rather than waits, when nothing has come of it in so many seconds. */
export function test(name: string, run: () => Promise<void>, seconds = 20): void {
  it(name, { timeout: seconds * 1000 }, run);
}

/** What a test plays on; filled before the first test runs. */
export interface Stage {
  upstream: Upstream;
  /** The base URL of the gateway. */
  url: string;
  /** What the upstream was told in the request of this index since the test began. */
  sent(at?: number): Sent;
  /** Waits until the gateway has written this during the test; one that was started elsewhere is believed. */
  wrote(pattern: RegExp): Promise<void>;
}

/** What the gateway of a file is set up with. */
export interface StageOptions {
  /** Its key for the upstream; without one it has none of its own. */
  key?: string;
  /** Gives more of its environment. */
  settings?: () => Promise<Record<string, string>>;
  /** Its runtime, if it is not that of the tests. */
  runtime?: "bun";
}

/** Why tests that need a gateway of their own are left out, or `false`. */
export const NO_OWN_GATEWAY: string | false = process.env["GATEWAY_URL"] === undefined
  ? false
  : "GATEWAY_URL names a gateway; this needs one with other settings";

/**
 * Sets up an upstream and a gateway for the tests of a file, clears them after each test, and prints what the gateway
 * wrote during a test that failed. `GATEWAY_URL` names a gateway that runs already, whose upstream is then expected
 * to be `UPSTREAM_PORT`.
 */
export function setStage({ settings, ...options }: StageOptions = { key: GATEWAY_KEY }): Stage {
  const running = process.env["GATEWAY_URL"];
  let gateway: Gateway | undefined;
  let upstream: Upstream | undefined;
  before(async () => {
    upstream = await startUpstream(Number(process.env["UPSTREAM_PORT"] ?? 0));
    if (running !== undefined) return;
    gateway = await startGateway({ upstream: upstream.url, ...options, settings: await settings?.() ?? {} });
  });
  afterEach((test) => {
    const log = gateway?.log() ?? "";
    const asked = upstream?.asked ?? [];
    try {
      upstream?.verify();
    } finally {
      if ("passed" in test && test.passed !== true) report(asked, log);
    }
  });
  after(async () => {
    await gateway?.stop();
    await upstream?.close();
  });
  return {
    get upstream() {
      if (upstream === undefined) throw new Error("Cannot use the upstream: no test is running");
      return upstream;
    },
    get url() {
      return running ?? gateway?.url ?? "";
    },
    sent(at = 0) {
      const asked = upstream?.asked[at];
      assert.ok(asked, `the upstream has not been asked ${at + 1} times`);
      return readSent(asked);
    },
    async wrote(pattern) {
      await gateway?.wrote(pattern);
    },
  };
}

function report(asked: Asked[], log: string): void {
  const lines = asked.map(({ method, path }) => `${method} ${path}`).join(", ");
  process.stderr.write(`the upstream was asked: ${lines || "nothing"}\n`);
  process.stderr.write(`the gateway wrote:\n${log.replace(/^/gm, "  ")}\n`);
}
