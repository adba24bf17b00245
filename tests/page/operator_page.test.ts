import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestGateway } from "../kit/gateway.ts";
import { ADMIN_KEY, postForm, readToken, signIn } from "./viewer.ts";

const KEYS = { GATEWAY_ADMIN_KEY: ADMIN_KEY, GATEWAY_API_KEYS: "web:client-key-0123456789" };
const VIEWS = ["", "spend", "models", "tools", "errors", "request?id=req_none"];

test("GET /console redirects to its folder by a relative address, with the query", async () => {
  const gateway = createTestGateway();
  const response = await gateway.get("/console?key=web");
  assert.equal(response.status, 308);
  assert.equal(response.headers.get("location"), "console/?key=web");
});

test("the page is open if the gateway has no key", async () => {
  const gateway = createTestGateway();
  for (const view of VIEWS) {
    const response = await gateway.get(`/console/${view}`);
    const text = await response.text();
    assert.equal(response.status, view.startsWith("request") ? 404 : 200, view);
    assert.match(text, /<h1>/);
    assert.doesNotMatch(text, /Sign out/);
  }
});

test("a view of a gateway with keys shows a form for the admin key", async () => {
  const gateway = createTestGateway({ settings: KEYS });
  const callers: Record<string, string>[] = [
    {},
    { "x-api-key": "client-key-0123456789" },
    { cookie: "console-session-0=x" },
  ];
  for (const headers of callers) {
    for (const view of VIEWS) {
      const text = await (await gateway.get(`/console/${view}`, headers)).text();
      assert.match(text, /Admin key/);
      assert.doesNotMatch(text, /aria-label="Views"/);
    }
    assert.equal((await gateway.get("/console/events?view=", headers)).status, 401);
  }
});

test("a gateway with only client keys explains how to set the admin key", async () => {
  const gateway = createTestGateway({ settings: { GATEWAY_API_KEYS: "web:client-key-0123456789" } });
  const text = await (await gateway.get("/console/")).text();
  assert.match(text, /GATEWAY_ADMIN_KEY=/);
  assert.doesNotMatch(text, /type="password"/);
  assert.equal((await postForm(gateway, "sign-in", { key: "client-key-0123456789" })).status, 401);
});

test("the admin key in a header opens the page, without a session", async () => {
  const gateway = createTestGateway({ settings: KEYS });
  const text = await (await gateway.get("/console/", { "x-api-key": ADMIN_KEY })).text();
  assert.match(text, /aria-label="Views"/);
  assert.doesNotMatch(text, /Sign out/);
});

test("POST /console/sign-in starts a session, in a cookie that scripts and other sites cannot use", async () => {
  const gateway = createTestGateway({ settings: KEYS });
  const response = await postForm(gateway, "sign-in", { key: ` ${ADMIN_KEY} `, next: "errors?group=1&x=<" });
  assert.equal(response.status, 303);
  assert.equal(response.headers.get("location"), "errors?group=1&x=%3C");
  const cookie = response.headers.get("set-cookie") ?? "";
  assert.match(cookie, /^console-session-0=\w{24}; Max-Age=28800; HttpOnly; SameSite=Strict$/);
  const text = await (await gateway.get("/console/", { cookie: cookie.split(";")[0] ?? "" })).text();
  assert.match(text, /Sign out/);
  assert.doesNotMatch(text, new RegExp(ADMIN_KEY));
});

test("the session's cookie is for HTTPS only behind a proxy that serves HTTPS", async () => {
  const gateway = createTestGateway({ settings: KEYS });
  const response = await postForm(gateway, "sign-in", { key: ADMIN_KEY }, { "x-forwarded-proto": "https" });
  assert.match(response.headers.get("set-cookie") ?? "", /; Secure$/);
});

for (const next of ["https://evil.test/", "//evil.test", "javascript:alert(1)", "/etc", "..", "nothing"]) {
  test(`POST /console/sign-in goes to Now instead of ${next}`, async () => {
    const gateway = createTestGateway({ settings: KEYS });
    const response = await postForm(gateway, "sign-in", { key: ADMIN_KEY, next });
    assert.equal(response.headers.get("location"), ".");
  });
}

test("POST /console/sign-in accepts the admin key after any number of wrong ones", async () => {
  const gateway = createTestGateway({ settings: KEYS });
  for (let nth = 0; nth < 100; nth++) {
    assert.equal((await postForm(gateway, "sign-in", { key: "wrong" })).status, 401);
  }
  assert.equal((await postForm(gateway, "sign-in", { key: ADMIN_KEY })).status, 303);
});

test("another site may link to a view, but not load it or its event stream", async () => {
  const gateway = createTestGateway();
  const other = { "sec-fetch-site": "cross-site" };
  const status = async (path: string, headers: Record<string, string>) => {
    const response = await gateway.get(`/console/${path}`, { ...other, ...headers });
    await response.body?.cancel();
    return response.status;
  };
  assert.equal(await status("", { "sec-fetch-mode": "navigate" }), 200);
  for (const path of ["", "events?view=", "spend.csv"]) {
    assert.equal(await status(path, { "sec-fetch-mode": "no-cors" }), 403, path);
  }
});

test("a change of the settings ends the event streams: the next ones need access under the new settings", async () => {
  const gateway = createTestGateway();
  const { body } = await gateway.get("/console/events?view=models");
  gateway.reload(KEYS);
  let text = "";
  for await (const piece of body?.pipeThrough(new TextDecoderStream()) ?? []) text += piece;
  assert.doesNotMatch(text, /event: end/);
  assert.equal((await gateway.get("/console/events?view=models")).status, 401);
});

test("a session ends after 8 hours", async () => {
  const gateway = createTestGateway({ settings: KEYS });
  const session = await signIn(gateway);
  gateway.clock.advance(8 * 3_600_000 - 1);
  assert.match(await (await gateway.get("/console/", session)).text(), /aria-label="Views"/);
  gateway.clock.advance(1);
  assert.match(await (await gateway.get("/console/", session)).text(), /Admin key/);
});

test("POST /console/sign-out ends the session", async () => {
  const gateway = createTestGateway({ settings: KEYS });
  const session = await signIn(gateway);
  const token = readToken(await (await gateway.get("/console/", session)).text());
  const response = await postForm(gateway, "sign-out", { token }, session);
  assert.equal(response.headers.get("location"), "sign-in");
  assert.match(response.headers.get("set-cookie") ?? "", /Max-Age=0/);
  assert.match(await (await gateway.get("/console/", session)).text(), /Admin key/);
});

test("a change of the admin key ends the sessions, another change does not", async () => {
  const gateway = createTestGateway({ settings: KEYS });
  const session = await signIn(gateway);
  gateway.reload({ ...KEYS, UPSTREAM_RETRIES: 1 });
  assert.match(await (await gateway.get("/console/", session)).text(), /aria-label="Views"/);
  gateway.reload({ ...KEYS, GATEWAY_ADMIN_KEY: "another-key-0123456789" });
  assert.match(await (await gateway.get("/console/", session)).text(), /Admin key/);
});

test("an action needs the token of the session, and a form of the same site", async () => {
  const gateway = createTestGateway({ settings: KEYS });
  const session = await signIn(gateway);
  const other = await signIn(gateway);
  const [token, otherToken] = await Promise.all(
    [session, other].map(async (one) => readToken(await (await gateway.get("/console/", one)).text())),
  );
  assert.ok(token !== undefined && token !== "" && token !== otherToken);
  const send = (fields: Record<string, string>, headers = {}) =>
    postForm(gateway, "errors?group=1", { action: "resolve", ...fields }, { ...session, ...headers });
  assert.equal((await send({})).status, 403);
  assert.equal((await send({ token: otherToken ?? "" })).status, 403);
  assert.equal((await send({ token }, { origin: "http://evil.test" })).status, 403);
  assert.equal((await send({ token }, { "sec-fetch-site": "cross-site" })).status, 403);
  // The token is accepted, but there is no such group.
  assert.equal((await send({ token }, { origin: "http://gateway.test" })).status, 404);
  assert.equal((await send({ token, action: "constructor" })).status, 404);
  assert.equal((await postForm(gateway, "errors", { token, action: "resolve" })).status, 401);
});

test("a script of an origin of CORS_ORIGINS cannot read the page", async () => {
  const gateway = createTestGateway({ settings: { CORS_ORIGINS: "*" } });
  const response = await gateway.get("/console/", { origin: "http://app.test" });
  assert.equal(response.status, 403);
  assert.doesNotMatch(await response.text(), /<html/);
});

test("every answer of the page forbids inline scripts and styles, storing and framing", async () => {
  const gateway = createTestGateway();
  for (const path of ["", "page.css", "page.js", "icon.svg", "sign-in", "spend.csv"]) {
    const response = await gateway.get(`/console/${path}`);
    assert.match(response.headers.get("content-security-policy") ?? "", /^default-src 'none';/);
    assert.equal(response.headers.get("cache-control"), "no-store");
    assert.equal(response.headers.get("x-content-type-options"), "nosniff");
  }
  for (const view of VIEWS) {
    const text = await (await gateway.get(`/console/${view}`)).text();
    assert.doesNotMatch(text, /\sstyle="|\son\w+="|<style|(?:href|src|action)="(?:\/|[a-z]+:)/);
  }
});

test("requests of the page are not counted as messages, nor sign-ins as defects", async () => {
  const gateway = createTestGateway({ settings: KEYS });
  const session = await signIn(gateway);
  await postForm(gateway, "sign-in", { key: "wrong" });
  const status = await (await gateway.get("/status", { "x-api-key": ADMIN_KEY })).json();
  assert.deepEqual(status.requests.failures, {
    limit: 0,
    access: 1,
    client: 0,
    upstream: 0,
    store: 0,
    gateway: 0,
  });
  assert.match(await (await gateway.get("/console/", session)).text(), /No request yet/);
  assert.match(await (await gateway.get("/console/errors", session)).text(), /No error/);
});
