import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "node:test";
import type { Settings } from "../../../lib/config/settings.ts";
import type { FakeClock } from "../../kit/clock.ts";
import { createTestGateway, type TestGateway, type TestGatewayOptions } from "../../kit/gateway.ts";
import { COMPLETE_STREAMS } from "../../kit/streams.ts";
import { MISSING, type RedisServer, startRedis } from "../servers/redis_server.ts";

/** Key of the operator in these tests. */
export const ADMIN_KEY = "admin-0123456789abcdef";

/** A kind of key store. */
export interface StoreKind {
  name: "state_dir" | "redis";
  skip: string | false;
  /** Returns the settings of a store, which is empty for each name. */
  settings(name: string): Settings;
}

/** Prepares the stores before the tests of a file, and removes them afterwards. */
export function prepareStores(): readonly StoreKind[] {
  const root = mkdtempSync(join(tmpdir(), "key-store-"));
  let redis: RedisServer | undefined;
  let databases = 0;
  const urls = new Map<string, string>();
  before(async () => {
    if (!MISSING) redis = await startRedis({ password: "secret-of-redis" });
  });
  after(async () => {
    rmSync(root, { recursive: true, force: true });
    await redis?.stop();
  });
  return [
    {
      name: "state_dir",
      skip: false,
      settings: (name) => ({ KEY_STORE: "state_dir", STATE_DIR: join(root, name) }),
    },
    {
      name: "redis",
      skip: MISSING,
      settings(name) {
        const url = urls.get(name) ?? `redis://:secret-of-redis@127.0.0.1:${redis?.port}/${databases++}`;
        urls.set(name, url);
        return { KEY_STORE: url };
      },
    },
  ];
}

/** A gateway with an admin key and a key store. */
export interface KeyGateway extends TestGateway {
  /** Sends a request about keys with the admin key. Returns the status and the body. */
  keys(method: "GET" | "POST" | "DELETE", what?: object | string): Promise<{ status: number; body: Answer }>;
  /** Sends the smallest message with a key. Returns the status. */
  ask(key: string, model?: string): Promise<number>;
}

/** Any answer about keys. */
export interface Answer {
  key: string;
  name: string;
  data: { name: string; [field: string]: unknown }[];
  error: { type: string; message: string };
}

/** Creates a gateway with an admin key. */
export function createKeyGateway(
  settings: Settings,
  options: Pick<TestGatewayOptions, "upstream"> & { clock?: FakeClock } = {},
): KeyGateway {
  const gateway = createTestGateway({
    upstream: { body: COMPLETE_STREAMS.chat },
    ...options,
    settings: { GATEWAY_ADMIN_KEY: ADMIN_KEY, ...settings },
  });
  return {
    ...gateway,
    async keys(method, what) {
      const path = `/v1/gateway/keys${typeof what === "string" ? `/${what}` : ""}`;
      const response = await gateway.fetch(
        new Request(`http://gateway.test${path}`, {
          method,
          headers: { "x-api-key": ADMIN_KEY, "content-type": "application/json" },
          ...(typeof what === "object" && { body: JSON.stringify(what) }),
        }),
      );
      return { status: response.status, body: await response.json() };
    },
    async ask(key, model = "vendor/model") {
      const body = { model, max_tokens: 9, messages: [{ role: "user", content: "Hi" }] };
      const response = await gateway.post(body, { headers: { "x-api-key": key } });
      await response.body?.cancel();
      return response.status;
    },
  };
}
