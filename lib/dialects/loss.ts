/** What became of a part of a request that an upstream cannot be told as it was said. */
export type LossAction = "dropped" | "approximated" | "renamed" | "repaired" | "hoisted";

/** Finds where a client spoke of a part of a request that was made of its own; `undefined` where it did not. */
export type ToClientPath = (path: string) => string | undefined;

/**
 * The list of what a request lost on its way to an upstream.
 *
 * A path is dotted and indexed into the request as the client sent it: `messages.3.content.1.citations`.
 *
 * @example Usage
 * ```ts
 * import { LossReport } from "./loss.ts";
 *
 * const loss = new LossReport();
 * loss.add("top_k", "dropped");
 * if (loss.toHeader() !== "top_k;dropped") throw new Error(loss.toHeader());
 * ```
 */
export class LossReport {
  readonly #losses: Map<string, LossAction>;
  readonly #toClientPath: ToClientPath;

  constructor(losses = new Map<string, LossAction>(), toClientPath: ToClientPath = (path) => path) {
    this.#losses = losses;
    this.#toClientPath = toClientPath;
  }

  /**
   * Gives the same report for a request that was made of the client's: what is lost there is noted by the path that
   * it has here, and is no loss where it has none.
   */
  of(toClientPath: ToClientPath): LossReport {
    return new LossReport(this.#losses, (path) => {
      const clientPath = toClientPath(path);
      return clientPath === undefined ? undefined : this.#toClientPath(clientPath);
    });
  }

  /** Notes one loss; a path is reported once. */
  add(path: string, action: LossAction): void {
    const clientPath = this.#toClientPath(path);
    if (clientPath !== undefined && !this.#losses.has(clientPath)) this.#losses.set(clientPath, action);
  }

  /** Tells whether a path, or the whole that it is a part of, is reported as dropped or approximated. */
  covers(path: string): boolean {
    for (let end = path.length; end > 0; end = path.lastIndexOf(".", end - 1)) {
      const action = this.#losses.get(path.slice(0, end));
      if (action === "dropped" || action === "approximated") return true;
    }
    return false;
  }

  /** Forgets all: somebody else is asked. */
  clear(): void {
    this.#losses.clear();
  }

  /** All losses, in the order they were noted. */
  get entries(): [path: string, action: LossAction][] {
    return [...this.#losses];
  }

  /**
   * What of it is a loss in earnest: not what was only put somewhere else. Where the client wants to lose nothing,
   * this is what it is told.
   */
  get serious(): [path: string, action: LossAction][] {
    return this.entries.filter(([, action]) => action !== "hoisted");
  }

  /** The value of the header `x-gateway-loss`, or nothing; where it would grow past 6 kB it ends with `more;N`. */
  toHeader(): string | undefined {
    const items: string[] = [];
    let length = 0;
    for (const [path, action] of this.#losses) {
      // A path may hold a field's name as the client wrote it, with half a surrogate pair in it.
      const item = `${encodeURIComponent(path.toWellFormed())};${action}`;
      length += item.length + 1;
      if (length > MAX_HEADER_CHARS) return [...items, `more;${this.#losses.size - items.length}`].join(",");
      items.push(item);
    }
    return items.join(",") || undefined;
  }
}

const MAX_HEADER_CHARS = 6 * 1024 - 20;
