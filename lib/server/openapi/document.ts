import * as v from "valibot";
import type { JsonObject } from "../../base/json.ts";
import { NAME, VERSION } from "../../base/version.ts";
import { toDocumentedPath, toRouteName } from "../route_name.ts";
import { KEY_OPERATIONS } from "./key_operations.ts";
import { MCP_OPERATIONS } from "./mcp_operations.ts";
import { MESSAGE_OPERATIONS } from "./message_operations.ts";
import { type Content, json, type Operation } from "./operation.ts";
import { OPERATOR_OPERATIONS } from "./operator_operations.ts";
import { STORAGE_OPERATIONS } from "./storage_operations.ts";
import { SchemaWriter } from "./to_schema.ts";

/** What the table of routes says about an endpoint. */
export interface DocumentedRoute {
  method: string;
  /** Path in Hono's syntax. */
  path: string;
  /** Who may call an endpoint of the operator. */
  access?: string;
  /** Methods that need no key. */
  open?: readonly string[];
}

/** The descriptions of all endpoints of the API, by their names. */
export const OPERATIONS: Readonly<Record<string, Operation>> = {
  ...MESSAGE_OPERATIONS,
  ...STORAGE_OPERATIONS,
  ...KEY_OPERATIONS,
  ...MCP_OPERATIONS,
  ...OPERATOR_OPERATIONS,
};

/** True for an endpoint of the API; false for the pages of browsers and the requests of the durable engine. */
export function isApiRoute({ path }: { path: string }): boolean {
  return !/^\/(console|oauth\/device|restate)(\/|$)/.test(path);
}

/**
 * Returns the OpenAPI 3.1 document of the endpoints. It is the same for all callers, and holds nothing of the settings.
 *
 * Source: https://spec.openapis.org/oas/v3.1.1.html
 */
export function createDocument(routes: readonly DocumentedRoute[]): JsonObject {
  const writer = new SchemaWriter();
  const paths: Record<string, JsonObject> = {};
  for (const route of routes.filter(isApiRoute)) {
    const path = toDocumentedPath(route.path);
    const operation = OPERATIONS[toRouteName(route)];
    if (operation === undefined) {
      throw new TypeError(`Cannot describe ${toRouteName(route)}: it has no description`);
    }
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: toOperation(route, operation, writer) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: NAME,
      version: VERSION,
      description: "Anthropic's Messages API, answered by any model, and the endpoints of the operator.",
      license: { name: "MIT", identifier: "MIT" },
    },
    paths,
    components: { schemas: writer.components, securitySchemes: SECURITY_SCHEMES },
  };
}

function toOperation(route: DocumentedRoute, operation: Operation, writer: SchemaWriter): JsonObject {
  const { summary, query = {}, headers = {}, body, answer, orElse, failure = ERROR } = operation;
  const names = Array.from(toDocumentedPath(route.path).matchAll(/\{(\w+)\}/g), ([, name = ""]) => name);
  const parameters = [
    ...names.map((name) => ({ name, in: "path", required: true, schema: { type: "string" } })),
    ...toParameters("query", query),
    ...toParameters("header", headers),
  ];
  const status = operation.status ?? (answer === undefined ? 204 : 200);
  const content = answer && {
    ...toContent(answer, writer),
    ...(orElse && { [orElse.media]: { schema: { type: "string", description: `If ${orElse.when}` } } }),
  };
  return {
    operationId: toOperationId(route),
    tags: [toTag(route.path)],
    summary,
    security: toSecurity(route),
    ...(parameters.length > 0 && { parameters }),
    ...(body && { requestBody: { required: true, content: toContent(body, writer) } }),
    responses: {
      [status]: { description: summary, ...(content && { content }) },
      default: { description: "An error", content: toContent(failure, writer) },
    },
  };
}

function toParameters(place: string, texts: Readonly<Record<string, string>>): JsonObject[] {
  return Object.entries(texts).map(([name, description]) => ({
    name,
    in: place,
    description,
    schema: { type: "string" },
  }));
}

function toContent(content: Content, writer: SchemaWriter): JsonObject {
  if ("media" in content) {
    return { [content.media]: { schema: MEDIA_SCHEMAS[content.media] ?? { type: "string" } } };
  }
  return { "application/json": { schema: writer.name(content.name, content.schema) } };
}

const MEDIA_SCHEMAS: Readonly<Record<string, JsonObject>> = {
  "multipart/form-data": {
    type: "object",
    properties: {
      file: { type: "string", contentMediaType: "application/octet-stream" },
      expires_in_seconds: { type: "integer" },
    },
    required: ["file"],
  },
  "application/x-www-form-urlencoded": { type: "object" },
  "application/octet-stream": {},
};

/** Source: https://platform.claude.com/docs/en/api/errors */
const ErrorBody = v.looseObject({
  type: v.literal("error"),
  error: v.looseObject({ type: v.string(), message: v.string() }),
  request_id: v.string(),
});

const ERROR = json("Error", ErrorBody);

const SECURITY_SCHEMES: JsonObject = {
  key: { type: "apiKey", in: "header", name: "x-api-key", description: "A key of GATEWAY_API_KEYS" },
  bearer: { type: "http", scheme: "bearer", description: "The same key as a Bearer token" },
  adminKey: { type: "apiKey", in: "header", name: "x-api-key", description: "GATEWAY_ADMIN_KEY" },
  adminBearer: { type: "http", scheme: "bearer", description: "GATEWAY_ADMIN_KEY as a Bearer token" },
};

/** The empty alternative means that the settings may let callers in without a key. */
function toSecurity({ method, access, open = [] }: DocumentedRoute): JsonObject[] {
  if (open.includes(method)) return [{}];
  const [key, bearer] = access === undefined ? ["key", "bearer"] : ["adminKey", "adminBearer"];
  return [{ [key]: [] }, { [bearer]: [] }, ...(access === "admin_key" ? [] : [{}])];
}

/** `GET /v1/models/:id` -> `getV1ModelsById` */
function toOperationId({ method, path }: DocumentedRoute): string {
  const words = toDocumentedPath(path).split(/[/_.-]/).filter((word) => word !== "").map((word) =>
    word.startsWith("{") ? `By${capitalize(word.slice(1, -1))}` : capitalize(word)
  );
  return method.toLowerCase() + (words.join("") || "Root");
}

function capitalize(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

/** Groups of endpoints, by the start of their paths. */
const TAGS: readonly [start: string, tag: string][] = [
  ["/v1/messages/batches", "Batches"],
  ["/v1/messages", "Messages"],
  ["/v1/files", "Files"],
  ["/v1/models", "Models"],
  ["/v1/sessions", "Sessions"],
  ["/v1/mcp", "MCP servers"],
  ["/v1/gateway", "Keys"],
  ["/oauth", "Sign-in"],
  ["/.well-known", "Sign-in"],
  ["/managed", "Sign-in"],
  ["/v1/metrics", "Telemetry"],
  ["/v1/logs", "Telemetry"],
  ["/v1/traces", "Telemetry"],
  ["/mcp", "MCP"],
  ["/debug", "Errors"],
];

function toTag(path: string): string {
  return TAGS.find(([start]) => path.startsWith(start))?.[1] ?? "Operations";
}
