import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../kit/clock.ts";
import { type RedisServer, startRedis } from "../servers/redis_server.ts";
import { createKeyGateway, type KeyGateway, prepareStores } from "./stores.ts";

const stores = prepareStores();

for (const { name: store, skip, settings } of stores) {
  test(`KEY_STORE ${store}: sign-ins outlive a restart, and end with their key`, { skip }, async () => {
    const shared = { ...settings("sign-ins"), SIGN_IN: "on" };
    const clock = new FakeClock();
    const gateway = createKeyGateway(shared, { clock });
    const { body: alice } = await gateway.keys("POST", { name: "alice" });
    const { body: bob } = await gateway.keys("POST", { name: "bob" });
    const [first, second, other] = [
      await signIn(gateway, alice.key),
      await signIn(gateway, alice.key),
      await signIn(gateway, bob.key),
    ];
    await gateway.stop();
    const restarted = createKeyGateway(shared, { clock });
    const statuses =
      async () => [await restarted.ask(first), await restarted.ask(second), await restarted.ask(other)];
    assert.deepEqual(await statuses(), [200, 200, 200]);
    await post(restarted, "/oauth/revoke", { token: second });
    assert.deepEqual(await statuses(), [200, 401, 200]);
    await restarted.keys("DELETE", "alice");
    assert.deepEqual(await statuses(), [401, 401, 200]);
    await restarted.keys("POST", { name: "alice" });
    assert.deepEqual(await statuses(), [401, 401, 200]);
    await restarted.stop();
  });
}

test("a key has at most 20 sign-ins: another one ends the oldest", async () => {
  const [store] = stores;
  const gateway = createKeyGateway({ ...store?.settings("bound"), SIGN_IN: "on" });
  const { body: { key } } = await gateway.keys("POST", { name: "alice" });
  const tokens: string[] = [];
  for (let nth = 0; nth < 21; nth++) tokens.push(await signIn(gateway, key));
  const statuses = [];
  for (const token of tokens) statuses.push(await gateway.ask(token));
  assert.deepEqual(statuses, [401, ...Array.from({ length: 20 }, () => 200)]);
});

const [, redis] = stores;

test("GET /managed/settings works while the store is unreachable, messages do not", {
  skip: redis?.skip ?? true,
}, async () => {
  let server: RedisServer | undefined = await startRedis({ password: "secret" });
  const clock = new FakeClock();
  const settings = { KEY_STORE: `redis://:secret@127.0.0.1:${server.port}`, SIGN_IN: "on" };
  const gateway = createKeyGateway(settings, { clock });
  const { body: { key } } = await gateway.keys("POST", { name: "alice" });
  const token = await signIn(gateway, key);
  const { user, device } = await start(gateway);
  assert.equal((await post(gateway, "/oauth/device", { user_code: user, key })).status, 200);
  await server.stop();
  server = undefined;
  clock.advance(5000);
  const headers = { authorization: `Bearer ${token}` };
  assert.equal((await gateway.get("/managed/settings", headers)).status, 200);
  assert.equal(await gateway.ask(token), 529);
  for (const _ of [1, 2]) {
    const response = await post(gateway, "/oauth/token", {
      grant_type: DEVICE_CODE_GRANT,
      device_code: device,
    });
    assert.equal(response.status, 529, "the code is not lost with the failure");
  }
  assert.equal((await createKeyGateway(settings, { clock }).get("/managed/settings", headers)).status, 529);
});

const DEVICE_CODE_GRANT = "urn:ietf:params:oauth:grant-type:device_code";

/** Signs in with a key. Returns the token. */
async function signIn(gateway: KeyGateway, key: string): Promise<string> {
  const { user, device } = await start(gateway);
  await post(gateway, "/oauth/device", { user_code: user, key });
  gateway.clock.advance(5000);
  const response = await post(gateway, "/oauth/token", {
    grant_type: DEVICE_CODE_GRANT,
    device_code: device,
  });
  return (await response.json()).access_token;
}

async function start(gateway: KeyGateway): Promise<{ user: string; device: string }> {
  const response = await post(gateway, "/oauth/device_authorization", {});
  const { user_code: user, device_code: device } = await response.json();
  return { user, device };
}

function post({ fetch }: KeyGateway, path: string, fields: Record<string, string>): Promise<Response> {
  const body = new URLSearchParams(fields);
  return fetch(new Request(`http://gateway.test${path}`, { method: "POST", body }));
}
