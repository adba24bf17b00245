import type { JsonObject } from "../../base/json.ts";
import { createDocument, type DocumentedRoute } from "./document.ts";

let document: JsonObject | undefined;

/**
 * Answers `GET /openapi.json` with the document of the routes. It needs a key if others do, as `GET /` does: without a
 * key, only the health check and Claude Code's probes of its base URL are answered.
 */
export function answerDocument(routes: readonly DocumentedRoute[]): Response {
  document ??= createDocument(routes);
  return Response.json(document);
}
