import { isObject, tryJson } from "../base/json.ts";
import type { Recording } from "../observability/recording.ts";

/**
 * Returns the files of a fixture folder, by name, that repeats a recording. They are those that a person writes for
 * `tests/fixtures/`: the request and the upstream's answers. The test writes the expected files.
 */
export function toFixture({ request, exchanges, models, settings }: Recording): Map<string, string> {
  const files = new Map([["request.json", toJson(request.body)]]);
  if (request.path !== "/v1/messages") files.set("request.line", `POST ${request.path}\n`);
  if (Object.keys(request.headers).length > 0) files.set("request.head", toHead(request.headers));
  if (Object.keys(settings).length > 0) files.set("settings.json", toJson(settings));
  if (models.length > 0) files.set("models.json", toJson({ data: models }));
  for (const [at, { status, headers, body }] of exchanges.entries()) {
    const name = exchanges.length === 1 ? "upstream" : `upstream.${at + 1}`;
    files.set(`${name}.${toEnding(headers["content-type"], body)}`, body);
    if (status !== 200) files.set(`${name}.head`, `${status}\n${toHead(headers)}`);
  }
  return files;
}

/** Returns the folder of a recording's fixture, beside its file. */
export function toFixtureFolder(file: string): string {
  return file.endsWith(".json") ? file.slice(0, -".json".length) : `${file}.fixture`;
}

function toEnding(type = "", body: string): "sse" | "json" | "html" {
  if (type.startsWith("text/event-stream")) return "sse";
  return type.startsWith("text/html") || !isObject(tryJson(body)) ? "html" : "json";
}

function toHead(headers: Record<string, string>): string {
  return Object.entries(headers).map(([name, value]) => `${name}: ${value}\n`).join("");
}

function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
