import { closestMatch } from "leven";
import { toDocumentedPath } from "./route_name.ts";
import { ROUTES } from "../routes.ts";

const NAMES = ROUTES.map(({ method, path }) => ({
  method,
  path: toDocumentedPath(path),
}));

/** Returns the route that a request without one probably means, such as `POST /v1/messages`. */
export function nearestRoute(method: string, path: string): string | undefined {
  const samePath = NAMES.find((route) => route.path === path);
  if (samePath !== undefined) return `${samePath.method} ${samePath.path}`;
  // The time of the search grows with the length of the path.
  const asked = `${method.slice(0, MAX_METHOD_CHARS)} ${path.slice(0, MAX_PATH_CHARS)}`;
  return closestMatch(asked, NAMES.map((route) => `${route.method} ${route.path}`));
}

const MAX_METHOD_CHARS = 8;
const MAX_PATH_CHARS = 100;
