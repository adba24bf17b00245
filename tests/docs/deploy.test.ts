import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { parseConfigFile } from "../../lib/config/sources/config_file.ts";
import { parseConfig } from "../../lib/config/parse.ts";
import { isSettingName, SECRET_SETTINGS, SETTINGS } from "../../lib/config/settings.ts";
import { ROOT } from "./pages.ts";

const read = (path: string) => readFileSync(ROOT + path, "utf8");

/** Files that set variables of the gateway. */
const WITH_VARIABLES = [
  "Dockerfile",
  "compose.yaml",
  "docs/deploy/gateway.service",
  "docs/deploy/kubernetes.yaml",
];

for (const path of WITH_VARIABLES) {
  test(`${path} sets only settings of the gateway`, () => {
    const names = read(path).match(/(?<=- name: )[A-Z_]{3,}|\b[A-Z]{2,}(?:_[A-Z]+)+(?=[=:])/g) ?? [];
    const known = (name: string) =>
      isSettingName(name) || name === "NODE_ENV" ||
      SECRET_SETTINGS.some((secret) => `${secret}_FILE` === name);
    assert.deepEqual(names.filter((name) => !known(name)), []);
    assert.ok(names.length > 0);
  });
}

/** Patterns of the time, in seconds, after which each file kills a gateway that does not stop. */
const STOP_TIMES: Record<string, RegExp> = {
  "compose.yaml": /stop_grace_period: (\d+)s/,
  "docs/deploy/gateway.service": /TimeoutStopSec=(\d+)/,
  "docs/deploy/kubernetes.yaml": /terminationGracePeriodSeconds: (\d+)/,
};

for (const [path, pattern] of Object.entries(STOP_TIMES)) {
  test(`${path} waits longer than SHUTDOWN_TIMEOUT`, () => {
    assert.ok(Number(pattern.exec(read(path))?.[1]) > Number(SETTINGS.SHUTDOWN_TIMEOUT.default));
  });
}

test("Dockerfile copies only files that exist, and that .dockerignore includes", () => {
  const sources = Array.from(
    read("Dockerfile").matchAll(/^COPY (?!--from)(.*) \S+$/gm),
    ([, words = ""]) => words,
  )
    .flatMap((words) => words.split(" "));
  const allowed = read(".dockerignore").split("\n").filter((line) => line.startsWith("!"));
  assert.ok(sources.length > 0);
  for (const source of sources) {
    assert.ok(existsSync(ROOT + source) && allowed.includes(`!${source}`), source);
  }
});

test("docs/deploy/kubernetes.yaml contains a valid configuration file", () => {
  const [, block = ""] = /gateway\.json: \|\n((?: {4}.*\n)+)/.exec(read("docs/deploy/kubernetes.yaml")) ?? [];
  const file = parseConfigFile(block, "gateway.json", () => undefined);
  assert.equal(parseConfig({ file }).host, "0.0.0.0");
});

test("docs/deployment.md links every file of docs/deploy/", () => {
  const page = read("docs/deployment.md");
  const files = readdirSync(`${ROOT}docs/deploy`, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile()
  );
  assert.ok(files.length > 0);
  for (const { name } of files) assert.ok(page.includes(`${name})`), name);
});
