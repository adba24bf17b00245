/** Writes the settings table into docs/configuration.md; run by `npm run docs`. */
import { readFileSync, writeFileSync } from "node:fs";
import { settingsTable } from "../../lib/cli/help.ts";

const path = new URL("../../docs/configuration.md", import.meta.url);
const page = readFileSync(path, "utf8");
const table = `<!-- settings -->\n\n${settingsTable()}\n\n<!-- /settings -->`;
writeFileSync(path, page.replace(/<!-- settings -->[\s\S]*<!-- \/settings -->/, () => table));
