import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { FakeClock } from "../../kit/clock.ts";
import { nextTask } from "../../../lib/runtime/next_task.ts";
import { ADMIN_KEY, createKeyGateway, prepareStores } from "./stores.ts";

const stores = prepareStores();

for (const { name: store, skip, settings } of stores) {
  test(
    `KEY_STORE ${store}: a key is created, used, listed without its value, and revoked`,
    { skip },
    async () => {
      const gateway = createKeyGateway(settings("life"));
      assert.equal(await gateway.ask("any"), 401);
      const { status, body: { key, ...made } } = await gateway.keys("POST", { name: "alice" });
      assert.equal(status, 200);
      assert.match(key, /^gwk_\w{24}$/);
      assert.deepEqual(made, {
        type: "gateway_key",
        name: "alice",
        source: "store",
        created_at: "2026-01-01T00:00:00.000Z",
        last_used_at: null,
        models: null,
        limits: { concurrent: 1000 },
      });
      assert.equal(await gateway.ask(key), 200);
      assert.equal(await gateway.ask(`${key}x`), 401);
      const listed = await gateway.keys("GET");
      assert.deepEqual(listed.body.data, [{ ...made, last_used_at: "2026-01-01T00:00:00.000Z" }]);
      assert.deepEqual(await gateway.keys("DELETE", "alice"), {
        status: 200,
        body: { type: "gateway_key_deleted", name: "alice" },
      });
      assert.equal(await gateway.ask(key), 401);
      assert.deepEqual((await gateway.keys("GET")).body.data, []);
      assert.equal((await gateway.keys("DELETE", "alice")).status, 404);
      await gateway.stop();
    },
  );

  test(`KEY_STORE ${store}: models and limits of a key have the same effect as those of the settings`, {
    skip,
  }, async () => {
    const shared = {
      ...settings("rules"),
      LIMITS: { each: { requests: 3 } },
      MODEL_ACCESS: { "*": ["vendor/*"] },
    };
    const own = { models: ["openai/*"], limits: { requests: 1 } };
    const gateway = createKeyGateway(shared);
    const { body: limited } = await gateway.keys("POST", { name: "limited", ...own });
    const { body: plain } = await gateway.keys("POST", { name: "plain" });
    const fromSettings = createKeyGateway({
      GATEWAY_API_KEYS: `limited:${limited.key},plain:${plain.key}`,
      LIMITS: { ...shared.LIMITS, keys: { limited: own.limits } },
      MODEL_ACCESS: { ...shared.MODEL_ACCESS, limited: own.models },
    });
    const results = [gateway, fromSettings].map(async ({ ask, get }) => {
      const headers = { "x-api-key": limited.key };
      return [
        await ask(limited.key, "vendor/model"),
        await ask(plain.key, "openai/gpt-5"),
        await ask(plain.key, "vendor/model"),
        await ask(plain.key, "vendor/model"),
        await ask(plain.key, "vendor/model"),
        (await get("/v1/models/big", headers)).status,
        (await (await get("/v1/models", headers)).json()).data,
      ];
    });
    const [first, second] = await Promise.all(results);
    assert.deepEqual(first, second);
    assert.deepEqual(first?.slice(0, 6), [403, 403, 200, 200, 429, 403]);
    const fresh = createKeyGateway(shared);
    assert.deepEqual([
      await fresh.ask(limited.key, "openai/gpt-5"),
      await fresh.ask(limited.key, "openai/gpt-5"),
    ], [
      200,
      429,
    ]);
    const { body } = await gateway.keys("GET");
    assert.deepEqual(body.data.map(({ name, models, limits }) => ({ name, models, limits })), [
      { name: "limited", models: ["openai/*"], limits: { concurrent: 1000, requests: 1 } },
      { name: "plain", models: ["vendor/*"], limits: { concurrent: 1000, requests: 3 } },
    ]);
    await Promise.all([gateway.stop(), fresh.stop()]);
  });

  test(
    `KEY_STORE ${store}: another gateway accepts and rejects a key within a second`,
    { skip },
    async () => {
      const clock = new FakeClock();
      const [one, other] = [0, 1].map(() => createKeyGateway(settings("shared"), { clock }));
      assert.ok(one && other);
      assert.equal(await other.ask("any"), 401);
      const { body: { key } } = await one.keys("POST", { name: "alice" });
      clock.advance(1000);
      assert.equal(await other.ask(key), 200);
      assert.equal((await other.keys("POST", { name: "alice" })).status, 409);
      await one.keys("DELETE", "alice");
      assert.equal(await one.ask(key), 401);
      clock.advance(1000);
      assert.equal(await other.ask(key), 401);
      const { body: next } = await other.keys("POST", { name: "alice" });
      clock.advance(1000);
      assert.deepEqual([await one.ask(next.key), await one.ask(key)], [200, 401]);
      await Promise.all([one.stop(), other.stop()]);
    },
  );

  test(
    `KEY_STORE ${store}: the last use is written later, at the latest when the gateway stops`,
    { skip },
    async () => {
      const clock = new FakeClock();
      const first = createKeyGateway({ ...settings("uses"), GATEWAY_API_KEYS: "bob:bob-0123456789abcdef" }, {
        clock,
      });
      const { body: { key } } = await first.keys("POST", { name: "alice" });
      await first.ask(key);
      const usesOf = async (gateway: typeof first) =>
        (await gateway.keys("GET")).body.data.map(({ name, last_used_at }) => [name, last_used_at]);
      const second = createKeyGateway(settings("uses"), { clock });
      assert.deepEqual(await usesOf(second), [["alice", null]]);
      clock.advance(10_000);
      while ((await usesOf(second))[0]?.[1] === null) await nextTask();
      assert.deepEqual(await usesOf(second), [["alice", "2026-01-01T00:00:00.000Z"]]);
      await first.ask("bob-0123456789abcdef");
      await first.stop();
      const third = createKeyGateway({ ...settings("uses"), GATEWAY_API_KEYS: "bob:bob-0123456789abcdef" }, {
        clock,
      });
      assert.deepEqual(await usesOf(third), [
        ["bob", "2026-01-01T00:00:10.000Z"],
        ["alice", "2026-01-01T00:00:00.000Z"],
      ]);
      await third.keys("DELETE", "alice");
      await third.keys("POST", { name: "alice" });
      assert.deepEqual((await usesOf(third))[1], ["alice", null]);
      await Promise.all([second.stop(), third.stop()]);
    },
  );

  test(
    `KEY_STORE ${store}: a key of the settings takes precedence over a created key of the same name`,
    { skip },
    async () => {
      const made = createKeyGateway(settings("names"));
      const { body: { key } } = await made.keys("POST", { name: "alice", models: [] });
      const gateway = createKeyGateway({
        ...settings("names"),
        GATEWAY_API_KEYS: "alice:alice-0123456789abcdef",
      });
      assert.deepEqual([await gateway.ask("alice-0123456789abcdef"), await gateway.ask(key)], [200, 401]);
      const { body } = await gateway.keys("GET");
      assert.deepEqual(body.data.map(({ name, source }) => [name, source]), [["alice", "settings"]]);
      assert.equal((await gateway.keys("POST", { name: "alice" })).status, 409);
      assert.equal((await gateway.keys("DELETE", "alice")).status, 200);
      const again = await gateway.keys("DELETE", "alice");
      assert.equal(again.status, 400);
      assert.match(again.body.error.message, /^Cannot revoke key "alice": it is in GATEWAY_API_KEYS/);
      await Promise.all([made.stop(), gateway.stop()]);
    },
  );
}

/** Invalid bodies, and the message of the error. */
const INVALID: [body: object, message: RegExp][] = [
  [{}, /^name: /],
  [{ name: "" }, /^name: /],
  [{ name: "a/../b" }, /^name: /],
  [{ name: "x".repeat(65) }, /^name: /],
  [{ name: ".." }, /^name: /],
  [{ name: "admin" }, /^name: /],
  [{ name: "local" }, /^name: /],
  [{ name: "a", key: "mine" }, /^key: Extra inputs/],
  [{ name: "a", models: "openai/*" }, /^models: /],
  [{ name: "a", models: [""] }, /^models: /],
  [{ name: "a", models: ["x".repeat(257)] }, /^models: /],
  [{ name: "a", limits: [] }, /^limits must be an object/],
  [{ name: "a", limits: { requests: 0 } }, /^limits\.requests must be a whole number/],
  [{ name: "a", limits: { requets: 1 } }, /unknown limit "requets".*requests/],
];

test("POST /v1/gateway/keys rejects invalid bodies", async () => {
  const [store] = stores;
  const gateway = createKeyGateway(store?.settings("invalid") ?? {});
  for (const [body, message] of INVALID) {
    const { status, body: { error } } = await gateway.keys("POST", body);
    assert.deepEqual([status, error.type], [400, "invalid_request_error"], JSON.stringify(body));
    assert.match(error.message, message);
  }
  assert.deepEqual((await gateway.keys("GET")).body.data, []);
});

test("POST /v1/gateway/keys creates at most 1000 keys", async () => {
  const [store] = stores;
  const settings = store?.settings("many") ?? {};
  const gateway = createKeyGateway(settings);
  for (let nth = 1; nth < 1000; nth++) {
    const key = { name: `key-${nth}`, sha256: nth.toString(16).padStart(64, "0"), createdAt: 0 };
    writeFileSync(join(String(settings.STATE_DIR), "keys", `key.${key.name}.json`), JSON.stringify(key));
  }
  assert.equal((await gateway.keys("POST", { name: "the-last" })).status, 200);
  const { status, body } = await gateway.keys("POST", { name: "one-more" });
  assert.equal(status, 400);
  assert.match(body.error.message, /there are 1000 keys/);
});

test("/v1/gateway/keys without KEY_STORE lists the keys of the settings, and reports the missing setting", async () => {
  const gateway = createKeyGateway({ GATEWAY_API_KEYS: "bob:bob-0123456789abcdef" });
  await gateway.ask("bob-0123456789abcdef");
  const { body } = await gateway.keys("GET");
  assert.deepEqual(body.data.map(({ name, last_used_at }) => [name, last_used_at]), [
    ["bob", "2026-01-01T00:00:00.000Z"],
  ]);
  const { status, body: { error } } = await gateway.keys("POST", { name: "alice" });
  assert.equal(status, 400);
  assert.equal(error.message, 'Cannot make key "alice": KEY_STORE is not set');
});

test("/v1/gateway/keys needs the admin key", async () => {
  const gateway = createKeyGateway({ GATEWAY_API_KEYS: "bob:bob-0123456789abcdef" });
  for (const [key, status] of [["bob-0123456789abcdef", 403], ["wrong", 401], [ADMIN_KEY, 200]] as const) {
    assert.equal((await gateway.get("/v1/gateway/keys", { "x-api-key": key })).status, status);
  }
});

test("KEY_STORE state_dir has private files with digests, and a damaged one affects only its key", async () => {
  const [store] = stores;
  const settings = store?.settings("files") ?? {};
  const folder = join(String(settings.STATE_DIR), "keys");
  const clock = new FakeClock();
  const gateway = createKeyGateway(settings, { clock });
  const { body: { key } } = await gateway.keys("POST", { name: "alice" });
  const { body: other } = await gateway.keys("POST", { name: "bob" });
  assert.deepEqual(readdirSync(folder).sort(), ["key.alice.json", "key.bob.json", "other"]);
  const path = join(folder, "key.alice.json");
  assert.equal(statSync(path).mode & 0o077, 0);
  assert.doesNotMatch(readFileSync(path, "utf8"), new RegExp(key));
  writeFileSync(join(folder, "key.mallory.json"), readFileSync(path));
  rmSync(path);
  writeFileSync(path, "{");
  clock.advance(1000);
  assert.deepEqual([await gateway.ask(key), await gateway.ask(other.key)], [401, 200]);
  assert.equal((await gateway.keys("DELETE", "alice")).status, 200);
  await gateway.stop();
});

test("KEY_STORE state_dir does not read the keys again when it writes the time of a use", async () => {
  const [store] = stores;
  const settings = store?.settings("times") ?? {};
  const folder = join(String(settings.STATE_DIR), "keys");
  const clock = new FakeClock();
  const gateway = createKeyGateway(settings, { clock });
  const { body: { key } } = await gateway.keys("POST", { name: "alice" });
  // A key that was read in the same tick as a change of the folder is read twice.
  for (const _ of [1, 2, 3]) {
    assert.equal(await gateway.ask(key), 200);
    clock.advance(1000);
  }
  clock.advance(10_000);
  const isWritten = () => existsSync(join(folder, "other", "last_uses"));
  for (let nth = 0; nth < 100_000 && !isWritten(); nth++) await nextTask();
  assert.ok(isWritten());
  writeFileSync(join(folder, "key.alice.json"), "{"); // does not change the folder
  assert.equal(await gateway.ask(key), 200);
  writeFileSync(join(folder, "key.new.json"), "{");
  clock.advance(1000);
  assert.equal(await gateway.ask(key), 401);
  await gateway.stop();
});

test("KEY_STORE: while the store is unreachable, only keys of the settings are accepted", async () => {
  const gateway = createKeyGateway({
    KEY_STORE: "redis://127.0.0.1:9",
    GATEWAY_API_KEYS: "bob:bob-0123456789abcdef",
  });
  assert.deepEqual([await gateway.ask("bob-0123456789abcdef"), await gateway.ask("gwk_unknown")], [200, 529]);
  const { status, body } = await gateway.keys("POST", { name: "alice" });
  assert.deepEqual([status, body.error.type], [529, "overloaded_error"]);
});
