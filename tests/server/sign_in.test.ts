import assert from "node:assert/strict";
import { test } from "node:test";
import type { Settings } from "../../lib/config/settings.ts";
import { sha256 } from "../../lib/base/hash/sha256.ts";
import { toSortedJson } from "../../lib/base/json.ts";
import { createTestGateway, type TestGateway } from "../kit/gateway.ts";
import { minimalRequest } from "../kit/requests/request.ts";
import { COMPLETE_STREAMS } from "../kit/streams.ts";
import { FakeUpstream } from "../kit/upstream.ts";

const ALICE = "alice-0123456789abcdef";
const BOB = "bob-0123456789abcdef";
const ADMIN = "admin-0123456789abcdef";
const SETTINGS: Settings = {
  SIGN_IN: "on",
  GATEWAY_API_KEYS: `alice:${ALICE},bob:${BOB}`,
  GATEWAY_ADMIN_KEY: ADMIN,
};
const DEVICE_CODE_GRANT = "urn:ietf:params:oauth:grant-type:device_code";

function createSignInGateway(settings: Settings = {}, models?: string) {
  const upstream = new FakeUpstream({ body: COMPLETE_STREAMS.chat }, models === undefined ? {} : { models });
  return createTestGateway({ settings: { ...SETTINGS, ...settings }, upstream });
}

/** Sends a form, as clients and browsers do. */
function postForm(
  { fetch }: TestGateway,
  path: string,
  fields: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Response> {
  const body = new URLSearchParams(fields);
  return fetch(new Request(`http://gateway.test${path}`, { method: "POST", body, headers }));
}

/** Starts a sign-in. */
async function start(gateway: TestGateway): Promise<{ device: string; user: string }> {
  const response = await postForm(gateway, "/oauth/device_authorization", { surface: "claude_code" });
  const { device_code: device, user_code: user } = await response.json();
  return { device, user };
}

/** Enters a code and a key on the page. Returns the status. */
async function enter(gateway: TestGateway, user: string, key: string): Promise<number> {
  return (await postForm(gateway, "/oauth/device", { user_code: user, key })).status;
}

/** Polls, after the interval. Returns the token or the error. */
async function poll(
  gateway: TestGateway,
  device: string,
): Promise<{ access_token?: string; error?: string }> {
  gateway.clock.advance(5000);
  const fields = { grant_type: DEVICE_CODE_GRANT, device_code: device };
  return await (await postForm(gateway, "/oauth/token", fields)).json();
}

async function signIn(gateway: TestGateway, key = ALICE): Promise<string> {
  const { device, user } = await start(gateway);
  assert.equal(await enter(gateway, user, key), 200);
  return (await poll(gateway, device)).access_token ?? assert.fail("no token");
}

async function ask(gateway: TestGateway, token: string): Promise<number> {
  const headers = { "authorization": `Bearer ${token}` };
  const response = await gateway.post(minimalRequest("chat"), { headers });
  await response.body?.cancel();
  return response.status;
}

test("sign-in: metadata, codes, page, token, messages, revocation", async () => {
  const gateway = createSignInGateway();
  const metadata = await (await gateway.get("/.well-known/oauth-authorization-server")).json();
  assert.equal(metadata.issuer, "http://gateway.test");
  const device = await postForm(gateway, new URL(metadata.device_authorization_endpoint).pathname, {});
  assert.equal(device.headers.get("cache-control"), "no-store");
  const { device_code, user_code, ...rest } = await device.json();
  assert.match(user_code, /^[B-Z]{4}-[B-Z]{4}$/);
  assert.deepEqual(rest, {
    verification_uri: "http://gateway.test/oauth/device",
    verification_uri_complete: `http://gateway.test/oauth/device?user_code=${user_code}`,
    expires_in: 600,
    interval: 5,
    login_notice: "This gateway keeps sign-ins in memory: a restart of it ends them.",
  });
  assert.deepEqual(await poll(gateway, device_code), { error: "authorization_pending" });
  assert.equal(await enter(gateway, ` ${user_code.toLowerCase().replace("-", " ")} `, ALICE), 200);
  const { access_token: token = "", ...answer } = await poll(gateway, device_code);
  assert.match(token, /^gwt_\w{24}$/);
  assert.deepEqual(answer, { token_type: "Bearer", expires_in: 315_360_000 });
  assert.equal(await ask(gateway, token), 200);
  assert.equal((await postForm(gateway, "/oauth/revoke", { token })).status, 200);
  assert.equal(await ask(gateway, token), 401);
  assert.equal((await postForm(gateway, "/oauth/revoke", { token })).status, 200);
});

test("sign-in: a code is used once, and for ten minutes", async () => {
  const gateway = createSignInGateway();
  const one = await start(gateway);
  assert.equal(await enter(gateway, one.user, ALICE), 200);
  assert.equal(await enter(gateway, one.user, BOB), 400);
  assert.ok((await poll(gateway, one.device)).access_token);
  assert.deepEqual(await poll(gateway, one.device), { error: "expired_token" });
  const two = await start(gateway);
  gateway.clock.advance(600_000);
  assert.equal(await enter(gateway, two.user, ALICE), 400);
  assert.deepEqual(await poll(gateway, two.device), { error: "expired_token" });
  assert.deepEqual(await poll(gateway, "gwd_unknown"), { error: "expired_token" });
});

test("sign-in: a poll before the interval receives slow_down", async () => {
  const gateway = createSignInGateway();
  const { device } = await start(gateway);
  const pollNow = async () =>
    (await (await postForm(gateway, "/oauth/token", { grant_type: DEVICE_CODE_GRANT, device_code: device }))
      .json()).error;
  assert.deepEqual([await pollNow(), await pollNow()], ["authorization_pending", "slow_down"]);
  gateway.clock.advance(5000);
  assert.equal(await pollNow(), "authorization_pending");
});

test("sign-in: five wrong keys deny a code, thirty wrong entries a minute pause the page", async () => {
  const gateway = createSignInGateway();
  const { device, user } = await start(gateway);
  const wrong = await Promise.all(Array.from({ length: 5 }, () => enter(gateway, user, "wrong")));
  assert.deepEqual(wrong, [403, 403, 403, 403, 403]);
  assert.equal(await enter(gateway, user, ALICE), 400);
  assert.deepEqual(await poll(gateway, device), { error: "access_denied" });
  const other = await start(gateway);
  const guesses = await Promise.all(
    Array.from({ length: 40 }, () => enter(gateway, "BBBBBBBB", ALICE)),
  );
  assert.equal(guesses.filter((status) => status === 429).length, 16);
  assert.equal(await enter(gateway, other.user, ALICE), 429);
  gateway.clock.advance(60_000);
  assert.equal(await enter(gateway, other.user, ALICE), 200);
});

test("sign-in: neither the admin key nor a token signs in", async () => {
  const gateway = createSignInGateway();
  const token = await signIn(gateway);
  for (const key of [ADMIN, token, "", "wrong"]) {
    assert.equal(await enter(gateway, (await start(gateway)).user, key), 403);
  }
});

test("sign-in: a token has the key's rights, not the operator's", async () => {
  const gateway = createSignInGateway({ MODEL_ACCESS: { alice: ["openai/*"] } });
  const [alice, bob] = [await signIn(gateway), await signIn(gateway, BOB)];
  assert.deepEqual([await ask(gateway, alice), await ask(gateway, bob)], [403, 200]);
  assert.equal((await gateway.get("/v1/gateway/keys", { authorization: `Bearer ${bob}` })).status, 403);
});

/** Settings that end the sign-in of alice. */
const ENDS: [why: string, settings: Settings][] = [
  ["her key is removed", { GATEWAY_API_KEYS: `bob:${BOB}` }],
  ["her key is replaced", { GATEWAY_API_KEYS: `alice:another-0123456789abcdef,bob:${BOB}` }],
  ["another key has her key's value", { GATEWAY_API_KEYS: `carol:${ALICE},bob:${BOB}` }],
  ["SIGN_IN is off", { SIGN_IN: "off" }],
];

for (const [why, settings] of ENDS) {
  test(`sign-in: a token ends when ${why}`, async () => {
    const gateway = createSignInGateway();
    const token = await signIn(gateway);
    gateway.reload({ ...SETTINGS, MODEL_MAP: { fast: "vendor/model" } });
    assert.equal(await ask(gateway, token), 200);
    gateway.reload({ ...SETTINGS, ...settings });
    const response = await gateway.get("/managed/settings", { authorization: `Bearer ${token}` });
    assert.deepEqual([response.status, response.headers.get("x-should-retry")], [401, "false"]);
  });
}

test("sign-in: the endpoints do not exist without SIGN_IN", async () => {
  const gateway = createSignInGateway({ SIGN_IN: "off" });
  for (const path of ["/.well-known/oauth-authorization-server", "/oauth/device"]) {
    assert.equal((await gateway.get(path)).status, 404);
  }
  for (const path of ["/oauth/device_authorization", "/oauth/token", "/oauth/revoke", "/oauth/device"]) {
    assert.equal((await postForm(gateway, path, {})).status, 404);
  }
});

/** Requests for a token that have an error of OAuth. */
const TOKEN_ERRORS: [fields: Record<string, string>, error: string][] = [
  [{}, "invalid_request"],
  [{ grant_type: "password" }, "unsupported_grant_type"],
  [{ grant_type: "refresh_token", refresh_token: "x" }, "invalid_grant"],
  [{ grant_type: DEVICE_CODE_GRANT }, "expired_token"],
];

test("POST /oauth/token returns the errors of OAuth", async () => {
  const gateway = createSignInGateway();
  for (const [fields, error] of TOKEN_ERRORS) {
    const response = await postForm(gateway, "/oauth/token", fields);
    assert.deepEqual([response.status, await response.json()], [400, { error }]);
  }
  const json = await gateway.post({ grant_type: DEVICE_CODE_GRANT }, { path: "/oauth/token" });
  assert.equal(json.status, 400);
  const large = await postForm(gateway, "/oauth/token", { grant_type: "x".repeat(20_000) });
  assert.equal(large.status, 413);
});

test("GET /oauth/device fills in the code, and allows no script and no frame", async () => {
  const gateway = createSignInGateway();
  const { user } = await start(gateway);
  const page = await gateway.get(`/oauth/device?user_code=${user}`);
  const html = await page.text();
  assert.match(html, new RegExp(`value="${user}"`));
  assert.doesNotMatch(html, /<script|\son\w+=|autofocus|http-equiv/i);
  assert.match(
    page.headers.get("content-security-policy") ?? "",
    /^default-src 'none'; style-src 'nonce-\w+'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'$/,
  );
  const hostile =
    await (await gateway.get(`/oauth/device?user_code=${encodeURIComponent('"><script>x</script>')}`)).text();
  assert.match(hostile, /value="SCRI-PTXS"/);
  assert.doesNotMatch(hostile, /<script/i);
});

/** Headers that browsers send with a form, and true if the page accepts it. */
const ORIGINS: [headers: Record<string, string>, accepted: boolean][] = [
  [{}, true],
  [{ "sec-fetch-site": "same-origin", "origin": "https://proxy.test" }, true],
  [{ "origin": "http://gateway.test" }, true],
  [{ "sec-fetch-site": "cross-site" }, false],
  [{ "sec-fetch-site": "same-site" }, false],
  [{ "origin": "https://evil.test" }, false],
  [{ "origin": "null" }, false],
];

test("POST /oauth/device accepts only the form of its page", async () => {
  const gateway = createSignInGateway();
  for (const [headers, accepted] of ORIGINS) {
    const { user } = await start(gateway);
    const response = await postForm(gateway, "/oauth/device", { user_code: user, key: ALICE }, headers);
    assert.equal(response.status, accepted ? 200 : 403, JSON.stringify(headers));
  }
});

test("POST /oauth/device_authorization names the public address behind a proxy that ends TLS", async () => {
  const gateway = createSignInGateway();
  const response = await postForm(gateway, "/oauth/device_authorization", {}, {
    "x-forwarded-proto": "https",
  });
  assert.equal((await response.json()).verification_uri, "https://gateway.test/oauth/device");
});

const PRICING = { prompt: "0.0000004", completion: "0.0000016", input_cache_read: "0.00000004" };
const CATALOGUE = JSON.stringify({
  data: [
    { id: "openai/gpt-5", name: "GPT-5", context_length: 400_000, pricing: PRICING },
    { id: "anthropic/claude-opus-5.5", name: "Claude Opus 5.5", context_length: 1_000_000, pricing: PRICING },
    { id: "vendor/tiny", context_length: 32_000 },
  ],
});

async function managedSettings(gateway: TestGateway, key: string, headers: Record<string, string> = {}) {
  return await gateway.get("/managed/settings", { authorization: `Bearer ${key}`, ...headers });
}

test("GET /managed/settings has the key's models, with windows and prices", async () => {
  const gateway = createSignInGateway({
    MODEL_MAP: { fast: "openai/gpt-5", tiny: "vendor/tiny" },
    MODEL_ACCESS: { alice: ["fast", "tiny"], bob: ["openai/*"] },
  }, CATALOGUE);
  const answer = await (await managedSettings(gateway, ALICE)).json();
  const price = { input: 0.4, output: 1.6, cacheRead: 0.04, cacheWrite: 0.4 };
  assert.deepEqual(answer.settings, {
    model: "fast",
    modelPicker: {
      options: [
        {
          model: "fast",
          label: "fast (GPT-5)",
          description: "Alias of openai/gpt-5, by openrouter",
          behavesAs: "claude-sonnet-4-6",
        },
        { model: "tiny", label: "tiny (vendor/tiny)", description: "Alias of vendor/tiny, by openrouter" },
      ],
      replaceBuiltInOptions: true,
    },
    env: {
      CLAUDE_CODE_MAX_CONTEXT_TOKENS: "32000",
      ANTHROPIC_DEFAULT_OPUS_MODEL: "fast",
      ANTHROPIC_DEFAULT_FABLE_MODEL: "fast",
      ANTHROPIC_DEFAULT_SONNET_MODEL: "fast",
      ANTHROPIC_DEFAULT_HAIKU_MODEL: "fast",
    },
    modelPricing: { overrides: { fast: price } },
  });
  assert.equal(answer.checksum, `sha256:${sha256(toSortedJson(answer.settings))}`);
  assert.match(answer.uuid, /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/);
  const { settings: listed } = await (await managedSettings(gateway, BOB)).json();
  assert.equal(listed.model, "fast", "an alias is allowed by its model, too");
  const { settings: all } = await (await managedSettings(gateway, ADMIN)).json();
  assert.equal(all.model, "big");
  assert.equal(all.modelPicker.options[0].behavesAs, "claude-opus-5-5");
  assert.deepEqual(all.env, {
    CLAUDE_CODE_MAX_CONTEXT_TOKENS: "32000",
    ANTHROPIC_DEFAULT_OPUS_MODEL: "big",
    ANTHROPIC_DEFAULT_FABLE_MODEL: "big",
    ANTHROPIC_DEFAULT_HAIKU_MODEL: "small",
  });
});

test("GET /managed/settings offers a key without an alias models of the catalogue, or none", async () => {
  const gateway = createSignInGateway({ MODEL_ACCESS: { alice: ["vendor/*"], bob: [] } }, CATALOGUE);
  const { settings } = await (await managedSettings(gateway, ALICE)).json();
  assert.equal(settings.model, "vendor/tiny");
  assert.deepEqual((await (await managedSettings(gateway, BOB)).json()).settings, {});
});

test("GET /managed/settings answers 304 to its checksum", async () => {
  const gateway = createSignInGateway();
  const etag = (await managedSettings(gateway, ALICE)).headers.get("etag") ?? assert.fail("no etag");
  for (const known of [etag, `W/${etag}`, `"other", ${etag}`]) {
    const response = await managedSettings(gateway, ALICE, { "if-none-match": known });
    assert.deepEqual([response.status, response.headers.get("etag"), await response.text()], [304, etag, ""]);
  }
  assert.equal((await managedSettings(gateway, ALICE, { "if-none-match": '"other"' })).status, 200);
});

test("GET /managed/settings does not depend on the upstream, nor on a limit", async () => {
  const gateway = createTestGateway({
    settings: { ...SETTINGS, LIMITS: { each: { requests: 1 } } },
    fetch: () => Promise.reject(new TypeError("unreachable")),
  });
  for (let nth = 0; nth < 200; nth++) {
    const response = await managedSettings(gateway, ALICE);
    assert.equal(response.status, 200);
    assert.equal((await response.json()).settings.model, "big");
  }
});

test("POST /v1/metrics, /v1/logs and /v1/traces answer known keys only", async () => {
  const gateway = createSignInGateway();
  const token = await signIn(gateway);
  for (const path of ["/v1/metrics", "/v1/logs", "/v1/traces"]) {
    for (const [key, status] of [[ALICE, 200], [token, 200], ["wrong", 401]] as const) {
      const headers = { authorization: `Bearer ${key}` };
      const json = await gateway.post({ resourceLogs: [] }, { path, headers });
      assert.equal(json.status, status);
      if (status === 200) assert.deepEqual(await json.json(), {});
    }
    const headers = { "authorization": `Bearer ${ALICE}`, "content-type": "application/x-protobuf" };
    const binary = await gateway.post(new Uint8Array([1, 2]), { path, headers });
    assert.deepEqual([binary.status, await binary.text()], [200, ""]);
  }
});
