import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { settingsTable } from "../../lib/cli/help.ts";
import { settingsSchema } from "../../lib/config/settings_schema.ts";
import { ROOT } from "./pages.ts";

test("settingsTable() returns the table in docs/configuration.md", () => {
  const page = readFileSync(`${ROOT}docs/configuration.md`, "utf8");
  const shown = /<!-- settings -->\n+([\s\S]*?)\n+<!-- \/settings -->/.exec(page)?.[1];
  assert.equal(shown, settingsTable());
});

test("settingsSchema() returns the schema in docs/gateway.schema.json", () => {
  const shown = readFileSync(`${ROOT}docs/gateway.schema.json`, "utf8");
  assert.deepEqual(JSON.parse(shown), settingsSchema());
});
