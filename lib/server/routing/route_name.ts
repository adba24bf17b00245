/** Returns a path in Hono's syntax as in the documentation: `/v1/models/{id}`. */
export function toDocumentedPath(path: string): string {
  return path.replace(/:(\w+)(\{.*?\}(?=\/|$))?/g, "{$1}");
}

/** Returns the name of an endpoint in logs, metrics and the documentation: `GET /v1/models/{id}`. */
export function toRouteName({ method, path }: { method: string; path: string }): string {
  return `${method} ${toDocumentedPath(path)}`;
}
