import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { Schema } from "../../lib/json_schema/schema.ts";
import { isJson, type Json, parseJson } from "../kit/json.ts";

/**
 * The JSON Schema Test Suite (https://github.com/json-schema-org/JSON-Schema-Test-Suite), draft 2020-12, if it is
 * beside this checkout.
 *
 * The validator loads no remote schemas. The test puts them into `$defs` of each schema that refers to them, as the
 * specification describes for bundled schemas.
 */
const SUITE = new URL("../../../shared/json-schema-test-suite/", import.meta.url);
const REMOTES = "http://localhost:1234/";

/** Cases that the validator does not pass, by file and group, with the reason. */
const NOT_PASSED: Record<string, string> = {
  "defs.json: validate definition against metaschema": "refers to the metaschema, which is not loaded",
  "ref.json: remote ref, containing refs itself": "refers to the metaschema, which is not loaded",
  "vocabulary.json: schema that uses custom metaschema with with no validation vocabulary":
    "a metaschema of its own, which is not read",
};

if (!existsSync(SUITE)) {
  const skip = "there is no ../shared/json-schema-test-suite beside this checkout";
  console.log(`JSON Schema Test Suite: skipped: ${skip}`);
  test("Schema passes the JSON Schema Test Suite (no suite)", { skip }, () => {});
} else {
  test("Schema passes the JSON Schema Test Suite of draft 2020-12", () => {
    const remotes = readRemotes();
    const failed = new Map<string, string>();
    let passed = 0;
    for (const { name, schema, cases } of readGroups()) {
      for (const { description, data, valid } of cases) {
        const result = check(bundle(schema, remotes), data);
        if (result === valid) passed++;
        else failed.set(`${name} (${description})`, String(result));
      }
    }
    console.log(`JSON Schema Test Suite, draft 2020-12: ${passed} of ${passed + failed.size} passed`);
    for (const [name, reason] of Object.entries(NOT_PASSED)) console.log(`  not passed: ${name}: ${reason}`);
    const unexpected = [...failed].filter(([name]) =>
      !Object.keys(NOT_PASSED).some((known) => name.startsWith(`${known} (`))
    );
    assert.deepEqual(unexpected, []);
    assert.ok(passed > 1200, `${passed} cases passed`);
  });
}

interface Group {
  name: string;
  schema: unknown;
  cases: { description: unknown; data: unknown; valid: unknown }[];
}

function* readGroups(): Generator<Group> {
  const folder = new URL("tests/draft2020-12/", SUITE);
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".json")).sort()) {
    const groups: unknown = JSON.parse(readFileSync(new URL(file, folder), "utf8"));
    assert.ok(Array.isArray(groups));
    for (const { description, schema, tests } of groups) {
      yield { name: `${file}: ${description}`, schema, cases: tests };
    }
  }
}

/** Reads the remote schemas that the cases of this draft refer to, by their URIs. */
function readRemotes(): Map<string, Json> {
  const remotes = new Map<string, Json>();
  for (const path of listFiles(new URL("remotes/draft2020-12/", SUITE), "draft2020-12/")) {
    const value: unknown = JSON.parse(readFileSync(new URL(`remotes/${path}`, SUITE), "utf8"));
    if (isJson(value)) remotes.set(REMOTES + path, value);
  }
  return remotes;
}

function listFiles(folder: URL, path: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory()
      ? listFiles(new URL(`${entry.name}/`, folder), `${path}${entry.name}/`)
      : [path + entry.name]
  );
}

function bundle(schema: unknown, remotes: ReadonlyMap<string, Json>): unknown {
  if (!isJson(schema) || !JSON.stringify(schema).includes(REMOTES)) return schema;
  const definitions = [...remotes].flatMap(([uri, remote]): [string, Json][] => {
    const id = typeof remote.$id === "string" ? new URL(remote.$id, uri).href : uri;
    const own: [string, Json] = [`remote ${id}`, { ...remote, $id: id }];
    // A schema with another URI than that of its file is found under both.
    return id === uri ? [own] : [own, [`remote ${uri}`, { $id: uri, $ref: id }]];
  });
  const local = isJson(schema.$defs) ? schema.$defs : {};
  return parseJson(JSON.stringify({ ...schema, $defs: { ...local, ...Object.fromEntries(definitions) } }));
}

function check(schema: unknown, data: unknown): unknown {
  try {
    return new Schema(schema).check(data).length === 0;
  } catch (error) {
    return error;
  }
}
