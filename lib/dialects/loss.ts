/**
 * Change to a part of a request that an upstream cannot receive unchanged.
 *
 * `invalid` is a part of the answer that is not valid under the client's schema.
 */
export type LossAction = "dropped" | "approximated" | "renamed" | "repaired" | "hoisted" | "invalid";

/** Maps a path of a derived request to the client's request; `undefined` if the client did not send that part. */
export type ToClientPath = (path: string) => string | undefined;

/**
 * Report of the changes to a request that lose information on the way to an upstream.
 *
 * Paths are dotted, with indexes into the client's request: `messages.3.content.1.citations`.
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
   * Returns a view of this report for a request derived from the client's. Losses are recorded here under the client's
   * paths. A loss without such a path is not recorded.
   */
  of(toClientPath: ToClientPath): LossReport {
    return new LossReport(this.#losses, (path) => {
      const clientPath = toClientPath(path);
      return clientPath === undefined ? undefined : this.#toClientPath(clientPath);
    });
  }

  /** Records a loss; only the first loss of a path counts. */
  add(path: string, action: LossAction): void {
    const clientPath = this.#toClientPath(path);
    if (clientPath !== undefined && !this.#losses.has(clientPath)) this.#losses.set(clientPath, action);
  }

  /** True if a path, or one of its parents, is reported as dropped or approximated. */
  covers(path: string): boolean {
    for (let end = path.length; end > 0; end = path.lastIndexOf(".", end - 1)) {
      const action = this.#losses.get(path.slice(0, end));
      if (action === "dropped" || action === "approximated") return true;
    }
    return false;
  }

  /** Removes all losses, before a request to another upstream. */
  clear(): void {
    this.#losses.clear();
  }

  /** All losses, in the order of their recording. */
  get entries(): [path: string, action: LossAction][] {
    return [...this.#losses];
  }

  /** Losses that strict validation rejects: all but `hoisted`, which only moves a part, and those of the answer. */
  get serious(): [path: string, action: LossAction][] {
    return this.entries.filter(([, action]) => action !== "hoisted" && action !== "invalid");
  }

  /**
   * Returns the value of the header `x-gateway-loss`; `undefined` without losses.
   *
   * A value over 6 KiB is cut and ends with `more;N`, where N is the number of losses left out.
   */
  toHeader(): string | undefined {
    const items: string[] = [];
    let length = 0;
    for (const [path, action] of this.#losses) {
      // A path may contain a field name of the client's with a lone surrogate, which `encodeURIComponent` rejects.
      const item = `${encodeURIComponent(path.toWellFormed())};${action}`;
      length += item.length + 1;
      if (length > MAX_HEADER_CHARS) return [...items, `more;${this.#losses.size - items.length}`].join(",");
      items.push(item);
    }
    return items.join(",") || undefined;
  }
}

const MAX_HEADER_CHARS = 6 * 1024 - 20;
