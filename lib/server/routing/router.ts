import { TrieRouter } from "hono/router/trie-router";
import { tryDecodeURIComponent } from "hono/utils/url";

/** A route, and the decoded values of the parameters in its path. */
export interface RouteMatch<Route> {
  route: Route;
  params: Readonly<Record<string, string>>;
}

/**
 * Finds routes by method and path. A path may have parameters in Hono's syntax: `/v1/models/:id`. A path without them goes
 * before one with them.
 *
 * @example Usage
 * ```ts
 * import { Router } from "./router.ts";
 *
 * const router = new Router([{ method: "GET", path: "/v1/models" }, { method: "GET", path: "/v1/models/:id" }]);
 * if (router.find("GET", "/v1/models/a%20b")?.params.id !== "a b") throw new Error("not found");
 * ```
 */
export class Router<Route extends { method: string; path: string }> {
  /** Routes without parameters by method and path. */
  readonly #fixed = new Map<string, Route>();
  readonly #others = new TrieRouter<Route>();

  constructor(table: readonly Route[]) {
    for (const route of table) {
      const { method, path } = route;
      if (path.includes(":")) this.#others.add(method, path, route);
      else this.#fixed.set(toKey(method, path), route);
    }
  }

  find(method: string, path: string): RouteMatch<Route> | undefined {
    const fixed = this.#fixed.get(toKey(method, path));
    if (fixed !== undefined) return { route: fixed, params: {} };
    const [[found] = []] = this.#others.match(method, path);
    if (found === undefined) return undefined;
    const [route, params] = found;
    return { route, params: decodeAll(params) };
  }
}

function toKey(method: string, path: string): string {
  return `${method} ${path}`;
}

function decodeAll(params: object): Record<string, string> {
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => [name, tryDecodeURIComponent(String(value))]),
  );
}
