import { Validator } from "@seriousme/openapi-schema-validator";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Schema } from "../../lib/json_schema/schema.ts";
import { createDocument, isApiRoute, OPERATIONS } from "../../lib/server/openapi/document.ts";
import { toRouteName } from "../../lib/server/routing/route_name.ts";
import { ROUTES } from "../../lib/server/routes.ts";
import { NO_SQLITE } from "../kit/data_dir.ts";
import { createTestGateway } from "../kit/gateway.ts";
import { asJson, dig, isJson } from "../kit/json.ts";
import { EXAMPLES } from "./api/examples.ts";
import { answerSchema, writeApiPage } from "./api/page.ts";
import { runExamples } from "./api/run_examples.ts";
import { ROOT } from "./pages.ts";

const document = asJson(JSON.parse(JSON.stringify(createDocument(ROUTES))));
const endpoints = ROUTES.filter(isApiRoute).map(toRouteName).sort();

test("GET /openapi.json is a valid document of OpenAPI 3.1", async () => {
  const served = await (await createTestGateway().get("/openapi.json")).json();
  assert.deepEqual(served, document);
  const { valid, errors } = await new Validator().validate(structuredClone(document));
  assert.ok(valid, JSON.stringify(errors));
});

test("createDocument() describes every endpoint of ROUTES, and no other", () => {
  assert.deepEqual(Object.keys(OPERATIONS).sort(), endpoints);
  const described = Object.entries(asJson(document.paths)).flatMap(([path, methods]) =>
    Object.keys(asJson(methods)).map((method) => `${method.toUpperCase()} ${path}`)
  );
  assert.deepEqual(described.sort(), endpoints);
});

test("createDocument() requires the keys that ROUTES requires", () => {
  for (const { method, path, access, open = [] } of ROUTES.filter(isApiRoute)) {
    const name = toRouteName({ method, path });
    const [, documented = ""] = name.split(" ");
    const security = dig(document, "paths", documented, method.toLowerCase(), "security");
    const text = JSON.stringify(security);
    assert.equal(text.includes("adminKey"), access !== undefined, name);
    assert.equal(text === "[{}]", open.some((opened) => opened === method), name);
    assert.equal(text.includes("{}"), access !== "admin_key", name);
  }
});

test("every reference in the OpenAPI document leads to a schema", () => {
  const references = JSON.stringify(document).match(/(?<="\$ref":")[^"]+/g) ?? [];
  assert.notEqual(references.length, 0);
  for (const reference of references) {
    assert.ok(isJson(dig(document, ...reference.slice(2).split("/"))), reference);
  }
});

/** Requests, and whether their schema in the document accepts them, as the gateway does. */
const BODIES: [schema: string, body: object, valid: boolean][] = [
  ["MessagesRequest", { model: "m", max_tokens: 1, messages: [{ role: "user", content: "Hi" }] }, true],
  ["MessagesRequest", { model: "m", max_tokens: 1, messages: [] }, false],
  ["MessagesRequest", { model: "m", max_tokens: 1, messages: [{ role: "user", content: 1 }] }, false],
  ["MessagesRequest", {
    model: "m",
    max_tokens: 1,
    messages: [{
      role: "user",
      content: [{ type: "tool_result", tool_use_id: "t", content: [{ type: "text", text: "a" }] }],
    }],
    tools: [{ name: "a", input_schema: { type: "object" } }, {
      type: "web_search_20250305",
      name: "web_search",
    }],
    thinking: { type: "adaptive" },
    of_the_future: 1,
  }, true],
  ["McpStop", { server_names: ["a"], force: true }, true],
  ["McpStop", { server_names: ["a"], command: "sh" }, false],
];

for (const [name, body, valid] of BODIES) {
  test(`the schema ${name} ${valid ? "accepts" : "rejects"} ${JSON.stringify(body).slice(0, 80)}`, () => {
    assert.equal(check({ $ref: `#/components/schemas/${name}` }, body).length === 0, valid);
  });
}

test("docs/api.md has every endpoint, with the gateway's answers, which match its schemas", {
  skip: NO_SQLITE,
  timeout: 60_000,
}, async () => {
  assert.deepEqual([...new Set(EXAMPLES.map(({ endpoint }) => endpoint))].sort(), endpoints);
  const answered = await runExamples();
  for (const { example: { endpoint, status: expected = 200 }, status, json, shown } of answered) {
    assert.equal(status, expected, `${endpoint}: ${shown}`);
    if (json === undefined) continue;
    const schema = answerSchema(document, endpoint, status);
    assert.ok(isJson(schema), endpoint);
    assert.deepEqual(check(close(schema), json, close(document.components)), [], endpoint);
  }
  const page = readFileSync(`${ROOT}docs/api.md`, "utf8");
  const written = writeApiPage(document, answered);
  assert.equal(withoutLayout(page), withoutLayout(written), 'run "npm run docs", and commit docs/api.md');
});

/** Returns the errors of a value under a schema of the document. */
function check(schema: unknown, value: unknown, components = document.components): unknown[] {
  return [...new Schema({ ...asJson(schema), components }).check(value)];
}

/** Returns schemas whose objects have no additional properties, unless they are declared open. */
function close(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(close);
  if (!isJson(schema)) return schema;
  const members = Object.fromEntries(Object.entries(schema).map(([name, member]) => [name, close(member)]));
  return isJson(schema.properties) && schema.additionalProperties === undefined
    ? { ...members, additionalProperties: false }
    : members;
}

/** Removes white space and the lines that the formatter adds to tables. */
function withoutLayout(text: string): string {
  return text.replace(/\s+|-{3,}/g, "");
}
