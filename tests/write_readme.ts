/** Writes the table of settings into README.md; run by `npm run readme`. */
import { readFileSync, writeFileSync } from "node:fs";
import { settingsTable } from "../lib/cli/help.ts";

const path = new URL("../README.md", import.meta.url);
const readme = readFileSync(path, "utf8");
const table = `<!-- settings -->\n\n${settingsTable()}\n\n<!-- /settings -->`;
writeFileSync(path, readme.replace(/<!-- settings -->[\s\S]*<!-- \/settings -->/, () => table));
