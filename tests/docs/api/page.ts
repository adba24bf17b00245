import { dig, isJson, type Json, objects } from "../../kit/json.ts";
import { type Answered, KEYS } from "./run_examples.ts";

/** The beginning of the page. */
const HEAD = `# API reference

Written by \`npm run docs\` from the OpenAPI document of the gateway and from requests to it. The document is at
\`GET /openapi.json\`, in OpenAPI 3.1, for generators of clients and for imports into other tools. It needs a key
if others do: without one, only the health check and Claude Code's probes of its base URL are answered.

Keys are sent in \`x-api-key\` or as a Bearer token, see [access](access.md). In the examples, \`$ID\` is the id in
an answer before, \`$SESSION\` the header \`mcp-session-id\` of one, \`$CODE\` a device code and \`$TOKEN\` a token.

An error has the form of Anthropic's API, and its status:
[errors](clients.md#errors).
`;

/** Writes docs/api.md from the OpenAPI document and the answers of the examples. */
export function writeApiPage(document: Json, answered: readonly Answered[]): string {
  const paths = isJson(document.paths) ? document.paths : {};
  const endpoints = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(isJson(methods) ? methods : {}).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      operation: isJson(operation) ? operation : {},
    }))
  );
  const tags = [...new Set(endpoints.map(({ operation }) => tagOf(operation)))];
  const parts = tags.flatMap((tag) => [
    `## ${tag}\n`,
    ...endpoints.filter(({ operation }) => tagOf(operation) === tag).map(({ name, operation }) =>
      writeEndpoint(name, operation, answered.filter(({ example }) => example.endpoint === name))
    ),
  ]);
  return [HEAD, ...parts].join("\n");
}

function tagOf({ tags }: Json): string {
  return String(Array.isArray(tags) ? tags[0] : "");
}

function writeEndpoint(name: string, operation: Json, answered: readonly Answered[]): string {
  const see = answered[0]?.example.see ?? "";
  const parameters = objects(operation.parameters).filter((parameter) => parameter.in !== "path");
  const rows = parameters.map((parameter) =>
    `| \`${parameter.name}\` | ${parameter.in} | ${parameter.description} |`
  );
  const table = rows.length === 0 ? [] : ["| parameter | in | meaning |\n| --- | --- | --- |", ...rows, ""];
  return [
    `### \`${name}\`\n`,
    `${operation.summary}. ${describeKey(operation)} See [${
      see.split(/\.md#?/).filter(Boolean).join(", ")
    }](${see}).\n`,
    ...table,
    ...answered.map(writeExample),
  ].join("\n");
}

function describeKey({ security }: Json): string {
  const names = objects(security).flatMap((alternative) => Object.keys(alternative));
  const isOptional = objects(security).some((alternative) => Object.keys(alternative).length === 0);
  if (names.length === 0) return "Needs no key.";
  if (!names.includes("adminKey")) return "Needs a key if \`GATEWAY_API_KEYS\` is set.";
  return isOptional
    ? "Needs the admin key; [access](access.md#keys) has the exceptions."
    : "Needs the admin key.";
}

function writeExample({ example, status, media, shown }: Answered): string {
  const { endpoint, path, idOf, key, headers = {}, body, fields, file } = example;
  const [method = "", route = ""] = endpoint.split(" ");
  const url = `http://127.0.0.1:4000${path ?? route.replace("{id}", idOf === undefined ? "{id}" : "$ID")}`;
  const sent = {
    ...(key !== "none" && { "x-api-key": KEYS[key ?? "client"] }),
    ...headers,
    ...(body && { "content-type": "application/json" }),
  };
  const words = [
    `curl ${/[?&$]/.test(url) ? `"${url}"` : url}`,
    ...(method === "DELETE" || (method === "POST" && !body && !fields && !file) ? [`-X ${method}`] : []),
    ...Object.entries(sent).map(([name, value]) => `-H "${name}: ${value}"`),
    ...(body ? [`-d '${JSON.stringify(body)}'`] : []),
    ...Object.entries(fields ?? {}).map(([name, value]) => `-d "${name}=${value}"`),
    ...(file ? [`-F file=@${file.name}`] : []),
  ];
  const language = media === "application/json" ? "json" : "text";
  const note = status === 200 ? "" : `Status ${status}:\n\n`;
  const answer = shown === "" ? "" : `\`\`\`${language}\n${shown.trimEnd()}\n\`\`\`\n`;
  return `\`\`\`sh\n${words.join(" \\\n  ")}\n\`\`\`\n\n${
    answer === "" ? note.replace(":", ", without a body.") : note
  }${answer}`;
}

/** Returns the schema of the answer with a status, if it is JSON. */
export function answerSchema(document: Json, endpoint: string, status: number): unknown {
  const [method = "", path = ""] = endpoint.split(" ");
  const responses = dig(document, "paths", path, method.toLowerCase(), "responses");
  const response = dig(responses, String(status)) ?? dig(responses, "default");
  return dig(response, "content", "application/json", "schema");
}
