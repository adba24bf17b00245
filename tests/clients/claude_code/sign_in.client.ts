import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe } from "node:test";
import {
  CLAUDE_CODE,
  type ClientFolders,
  NO_CLAUDE_CODE,
  parseResult,
  runClaudeCode,
} from "./claude_code.ts";
import { checkResult, testWithFolders } from "./testbed.ts";
import { GATEWAY_KEY, NO_OWN_GATEWAY, setUpTestbed } from "../kit/testbed.ts";
import { ENTER, NO_TERMINAL, openTerminal, UP } from "../kit/terminal.ts";
import { reply } from "../../kit/model/turns.ts";

const KEY = "alice-0123456789abcdef";

const SETTINGS = {
  SIGN_IN: "on",
  GATEWAY_API_KEYS: `alice:${KEY}`,
  MODEL_ACCESS: JSON.stringify({ alice: ["house-model"] }),
};

/** Variables with which Claude Code uses only the gateway that it has signed in to. */
const SIGNED_IN = { ANTHROPIC_BASE_URL: "", ANTHROPIC_AUTH_TOKEN: "" };

describe("Claude Code, signed in to the gateway", { skip: NO_CLAUDE_CODE || NO_OWN_GATEWAY }, () => {
  const testbed = setUpTestbed({ key: GATEWAY_KEY, settings: () => Promise.resolve(SETTINGS) });

  testWithFolders("-p takes the model, the window and the price from the gateway", async (folders) => {
    await storeSignIn(folders, testbed.url, await signIn(testbed.url));
    testbed.upstream.always(reply({ text: ["Good day."] }));
    const args = ["-p", "hello", "--output-format", "json"];
    const run = await runClaudeCode({ url: testbed.url, folders, args, env: SIGNED_IN });
    checkResult(parseResult(run), "Good day.");
    assert.equal(run.stderr, "");
    const { contextWindow, provider, costBasis } = JSON.parse(run.stdout).modelUsage["house-model"];
    assert.deepEqual({ contextWindow, provider, costBasis }, {
      contextWindow: 200_000,
      provider: "gateway",
      costBasis: "managed",
    });
    assert.equal(testbed.sent().model, "anthropic/claude-sonnet-4.5");
    assert.deepEqual(run.sought, []);
  });

  testWithFolders("-p says that the sign-in has ended", async (folders) => {
    const token = await signIn(testbed.url);
    await storeSignIn(folders, testbed.url, token);
    await postForm(`${testbed.url}/oauth/revoke`, { token });
    const run = await runClaudeCode({ url: testbed.url, folders, args: ["-p", "hello"], env: SIGNED_IN });
    assert.equal(run.code, 1);
    assert.match(run.stdout + run.stderr, /Cloud gateway .* no longer accepts this session.*\/login/);
  });

  testWithFolders("-p says that the gateway does not answer", async (folders) => {
    await storeSignIn(folders, "http://127.0.0.1:9", "gwt_of_another_gateway");
    const run = await runClaudeCode({ url: testbed.url, folders, args: ["-p", "hello"] });
    assert.equal(run.code, 1);
    assert.match(run.stdout + run.stderr, /Couldn't load settings from Cloud gateway/);
  });

  describe("in a terminal", { skip: NO_TERMINAL }, () => {
    testWithFolders("a person signs in and out", async (folders) => {
      await mkdir(join(folders.home, ".claude"), { recursive: true });
      const settings = { forceLoginMethod: "gateway", forceLoginGatewayUrl: testbed.url };
      await writeFile(join(folders.home, ".claude/settings.json"), JSON.stringify(settings));
      const trusted = { projects: { [folders.work]: { hasTrustDialogAccepted: true } } };
      await writeFile(join(folders.home, ".claude.json"), JSON.stringify(trusted));
      testbed.upstream.always(reply({ text: ["Good day to you."] }));
      const terminal = await openTerminal([CLAUDE_CODE], {
        cwd: folders.work,
        env: { HOME: folders.home, DISABLE_AUTOUPDATER: "1" },
      });
      try {
        await terminal.shows(/textstyle/);
        terminal.type(ENTER);
        await terminal.shows(/Entertoconnect/);
        terminal.type(ENTER);
        await terminal.shows(/No,cancellogin/);
        terminal.type(UP);
        await terminal.shows(/❯Yes/);
        terminal.type(ENTER);
        const [, code = ""] = await terminal.shows(/Code:([B-Z]{4}-[B-Z]{4})/);
        assert.equal(await postForm(`${testbed.url}/oauth/device`, { user_code: code, key: KEY }), 200);
        await terminal.shows(/Connectedto/);
        terminal.type(ENTER);
        await terminal.shows(/Securitynotes/);
        terminal.type(ENTER);
        await terminal.shows(/house-model[^]*Cloudgateway[^]*automodeon/);
        terminal.type("hello");
        await terminal.shows(/hello/);
        terminal.type(ENTER);
        await terminal.shows(/Gooddaytoyou/);
        const stored = JSON.parse(await readFile(join(folders.home, ".claude/.credentials.json"), "utf8"));
        const token = stored.enterpriseGateway.jwt;
        assert.equal(await statusWith(token), 200);
        terminal.type("/logout");
        await terminal.shows(/logout/);
        terminal.type(ENTER);
        await terminal.shows(/loggedout/i);
        assert.equal(await statusWith(token), 401);
      } finally {
        await terminal.close();
      }
    });
  });

  async function statusWith(token: string): Promise<number> {
    const headers = { authorization: `Bearer ${token}` };
    return (await fetch(`${testbed.url}/managed/settings`, { headers })).status;
  }
});

/** Signs in as Claude Code and a browser do. Returns the token. */
async function signIn(url: string): Promise<string> {
  const started = await fetch(`${url}/oauth/device_authorization`, {
    method: "POST",
    body: new URLSearchParams({ surface: "claude_code" }),
  });
  const { device_code, user_code } = await started.json();
  assert.equal(await postForm(`${url}/oauth/device`, { user_code, key: KEY }), 200);
  const answer = await fetch(`${url}/oauth/token`, {
    method: "POST",
    body: new URLSearchParams({ grant_type: "urn:ietf:params:oauth:grant-type:device_code", device_code }),
  });
  return (await answer.json()).access_token;
}

/** Stores a sign-in in the file of Claude Code. */
async function storeSignIn(folders: ClientFolders, url: string, token: string): Promise<void> {
  await mkdir(join(folders.home, ".claude"), { recursive: true });
  const gateway = {
    url,
    jwt: token,
    expiresAt: Date.now() + 1_000_000_000,
    tokenEndpoint: `${url}/oauth/token`,
    revocationEndpoint: `${url}/oauth/revoke`,
  };
  const credentials = { gatewayTrust: { "127.0.0.1": "http-loopback" }, enterpriseGateway: gateway };
  await writeFile(join(folders.home, ".claude/.credentials.json"), JSON.stringify(credentials), {
    mode: 0o600,
  });
}

async function postForm(url: string, fields: Record<string, string>): Promise<number> {
  const response = await fetch(url, { method: "POST", body: new URLSearchParams(fields) });
  await response.body?.cancel();
  return response.status;
}
