import type { ProcessEntry } from "./process_table.ts";

/**
 * The processes that a server has started, directly or through others.
 *
 * A process belongs to the tree if its parent, its process group or its session does, if it has the server's stdin,
 * stdout or stderr, or if it belonged to the tree at an earlier look. A process that leaves its group by `setsid` and
 * then loses its parent is therefore still known.
 */
export class ProcessTree {
  /** Start times of all processes that have belonged to the tree, by their ids. */
  readonly #known = new Map<number, string | undefined>();
  #stdio: ReadonlySet<string> | undefined;
  readonly #own: number;

  /** `root` is the id of the server's process, `own` that of this one, which never belongs to the tree. */
  constructor(root: number, own: number) {
    this.#known.set(root, undefined);
    this.#own = own;
  }

  /**
   * Looks at the processes of the system, and returns the ids of those that belong to the tree and still run. The first
   * look must follow the start of the server at once.
   */
  update(table: readonly ProcessEntry[]): number[] {
    const others = table.filter(({ pid }) => pid > 1 && pid !== this.#own);
    for (const { pid, startedAt } of others) {
      if (!this.#known.has(pid)) continue;
      // Another process has received the id.
      if ((this.#known.get(pid) ?? startedAt) !== startedAt) this.#known.delete(pid);
      else this.#known.set(pid, startedAt);
    }
    // A process that had ended before the first look: its id may be given to another one.
    for (const [pid, startedAt] of this.#known) if (startedAt === undefined) this.#known.delete(pid);
    this.#stdio ??= new Set(others.find(({ pid }) => this.#known.has(pid))?.stdio);
    const members = new Set<number>();
    for (let size = -1; size < members.size;) {
      size = members.size;
      for (const entry of others) {
        if (members.has(entry.pid) || !this.#isMember(entry)) continue;
        members.add(entry.pid);
        this.#known.set(entry.pid, entry.startedAt);
      }
    }
    return [...members];
  }

  #isMember({ pid, parent, group, session, stdio }: ProcessEntry): boolean {
    return [pid, parent, group, session].some((id) => this.#known.has(id)) ||
      stdio.some((link) => this.#stdio?.has(link) === true);
  }
}
