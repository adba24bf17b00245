import assert from "node:assert/strict";
import { after, afterEach, before, it } from "node:test";
import { type Gateway, startGateway } from "./gateway.ts";
import { readSent, type Sent } from "./sent.ts";
import { type ReceivedRequest, startUpstream, type Upstream } from "./upstream.ts";

/** The key that the gateway under test has for its upstream. */
export const GATEWAY_KEY = "sk-or-v1-of-the-gateway";

/** The key that clients send. */
export const CLIENT_KEY = "key-of-the-client";

/** A route through the gateway: translated to chat completions, or native to `/messages`. */
export interface Route {
  name: "translated" | "native";
  model: string;
  /** The path that the upstream must receive requests on. */
  path: string;
  /** Ids of tool calls in this upstream's form. The second translated one is not valid in Anthropic's API. */
  ids: [string, string];
}

/** By translation. */
export const TRANSLATED: Route = {
  name: "translated",
  model: "openai/gpt-5",
  path: "/api/v1/chat/completions",
  ids: ["call_8I6muAnyFaBjKyotk1gPRTwU", "functions.weather:1"],
};

/** Passed on in Anthropic's format. */
export const NATIVE: Route = {
  name: "native",
  model: "anthropic/claude-sonnet-4.5",
  path: "/api/v1/messages",
  ids: ["toolu_01A09q90qw90lq917835lq9", "toolu_01B09q90qw90lq917835lq9"],
};

/** Both ways through the gateway. */
export const ROUTES: Route[] = [TRANSLATED, NATIVE];

/** Declares a test with a timeout in seconds. */
export function test(name: string, run: () => Promise<void>, seconds = 20): void {
  it(name, { timeout: seconds * 1000 }, run);
}

/** The servers of a test file; set before the first test runs. */
export interface Testbed {
  upstream: Upstream;
  /** The base URL of the gateway. */
  url: string;
  /** Content of the request with this index since the test began. */
  sent(at?: number): Sent;
  /** Waits until the gateway has written this during the test; one that was started elsewhere is believed. */
  wrote(pattern: RegExp): Promise<void>;
}

/** Settings of the gateway of a test file. */
export interface TestbedOptions {
  /** Its key for the upstream. Without it, it has none. */
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
export function setUpTestbed({ settings, ...options }: TestbedOptions = { key: GATEWAY_KEY }): Testbed {
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
    const received = upstream?.received ?? [];
    try {
      upstream?.verify();
    } finally {
      if ("passed" in test && test.passed !== true) report(received, log);
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
      const received = upstream?.received[at];
      assert.ok(received, `the upstream has not been asked ${at + 1} times`);
      return readSent(received);
    },
    async wrote(pattern) {
      await gateway?.wrote(pattern);
    },
  };
}

function report(received: ReceivedRequest[], log: string): void {
  const lines = received.map(({ method, path }) => `${method} ${path}`).join(", ");
  process.stderr.write(`the upstream was asked: ${lines || "nothing"}\n`);
  process.stderr.write(`the gateway wrote:\n${log.replace(/^/gm, "  ")}\n`);
}
