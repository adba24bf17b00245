import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfigFile } from "../../lib/config/sources/config_file.ts";
import { parseConfig } from "../../lib/config/parse.ts";
import { SETTING_NAMES, SETTINGS } from "../../lib/config/settings.ts";
import { settingsSchema } from "../../lib/config/settings_schema.ts";
import { Schema } from "../../lib/json_schema/schema.ts";

const schema = new Schema(settingsSchema());

test("settingsSchema() has every setting, and accepts every default as text and as JSON", () => {
  for (const name of SETTING_NAMES) {
    const { default: text } = SETTINGS[name];
    const property = Object(Object(settingsSchema().properties)[name]);
    assert.equal(property.description, SETTINGS[name].text);
    if (text === undefined) continue;
    assert.deepEqual(schema.check({ [name]: property.default }), [], name);
    if (typeof property.default !== "number") assert.deepEqual(schema.check({ [name]: text }), [], name);
  }
});

const VALID: unknown[] = [
  { $schema: "./gateway.schema.json", PORT: 1, OPEN_ACCESS: true, SHELL_NETWORK: "off" },
  { PORT: "${PORT:-4000}", UPSTREAM_DIALECT: "${DIALECT}", OPENROUTER_BASE_URL: "${URL}", IDLE_TIMEOUT: 0.5 },
  { GATEWAY_API_KEYS: "a,b", CORS_ORIGINS: ["*"], OPENROUTER_API_KEY_FILE: "/run/key" },
  { UPSTREAMS: { a: { url: "http://h/v1", preset: "ollama", headers: { a: "b" } } } },
  { UPSTREAMS: [{ name: "a", url: "http://h/v1" }] },
  { MODEL_MAP: { a: "b", c: { model: "d", options: {}, fallbacks: ["e", { model: "f" }] } } },
  { LIMITS: { each: { concurrent: null, usd_day: 0.5 }, keys: { local: { requests: 1 } } } },
];

for (const value of VALID) {
  test(`settingsSchema() accepts ${JSON.stringify(value)}, as the gateway does`, () => {
    assert.deepEqual(schema.check(value), []);
    const variables: Record<string, string> = { DIALECT: "openai", URL: "http://h/v1" };
    const file = parseConfigFile(JSON.stringify(value), "g.json", (name) => variables[name]);
    parseConfig({ file });
  });
}

const INVALID: unknown[] = [
  { PROT: 1 },
  { PORT_FILE: "x" },
  { PORT: 70000 },
  { PORT: "x" },
  { OPEN_ACCESS: "yes" },
  { TOOLS: ["shel"] },
  { OPENROUTER_BASE_URL: "ftp://h" },
  { UPSTREAMS: { a: { key: "x" } } },
  { UPSTREAMS: { a: { url: "http://h", apiVersion: "1" } } },
  { MODEL_MAP: { a: { model: "b", cacheControl: true } } },
  { LIMITS: { each: { streams: 1 } } },
];

for (const value of INVALID) {
  test(`settingsSchema() rejects ${JSON.stringify(value)}`, () => {
    assert.notDeepEqual(schema.check(value), []);
  });
}
