import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { ROOT } from "./pages.ts";

const PAGE = "docs/troubleshooting.md";

/** Texts of the program, and of the recorded and expected answers of upstreams and clients. */
const SOURCES = ["lib", "tools", "tests/fixtures", "tests/clients", "tests/end_to_end"];

/** Messages of Claude Code 2.1. */
const CLIENT_MESSAGES = ["Not logged in · Please run /login", "There's an issue with the selected model"];

const source = SOURCES.flatMap((folder) =>
  readdirSync(`${ROOT}${folder}`, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|json|sse)$/.test(entry.name))
    .map(({ parentPath, name }) => readFileSync(`${parentPath}/${name}`, "utf8"))
).concat(CLIENT_MESSAGES).join("\n");

/** The first cells of the tables, and the quoted texts in them. */
const rows = readFileSync(ROOT + PAGE, "utf8").split("\n")
  .filter((line) => /^\| [^-]/.test(line))
  .map((line) => line.split("|")[1]?.trim() ?? "");
const messages = rows.flatMap((cell) => Array.from(cell.matchAll(/`([^`]+)`/g), ([, text = ""]) => text))
  .filter((text) => text.includes(" "));

test(`${PAGE} quotes messages`, () => assert.ok(messages.length > 40, `${messages.length}`));

for (const message of messages) {
  test(`${PAGE} quotes "${message}" as the program or a client prints it`, () => {
    for (const part of message.split("…").map((part) => part.trim()).filter((part) => part.length > 3)) {
      assert.ok(source.includes(part), `"${part}" is in none of ${SOURCES.join(", ")}`);
    }
  });
}
