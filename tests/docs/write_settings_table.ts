/** Writes the settings table into docs/configuration.md, and docs/gateway.schema.json; run by `npm run docs`. */
import { readFileSync, writeFileSync } from "node:fs";
import { settingsTable } from "../../lib/cli/help.ts";
import { settingsSchema } from "../../lib/config/settings_schema.ts";

const path = new URL("../../docs/configuration.md", import.meta.url);
const page = readFileSync(path, "utf8");
const table = `<!-- settings -->\n\n${settingsTable()}\n\n<!-- /settings -->`;
writeFileSync(path, page.replace(/<!-- settings -->[\s\S]*<!-- \/settings -->/, () => table));

const schemaPath = new URL("../../docs/gateway.schema.json", import.meta.url);
writeFileSync(schemaPath, `${JSON.stringify(settingsSchema(), null, 2)}\n`);
