import { isObject, tryJson } from "../../base/json.ts";
import type { DayFiles } from "../../runtime/day_files.ts";
import type { ErrorEntry } from "./error_entry.ts";

/** Counts of the stored errors. */
export interface ErrorStats {
  total_errors: number;
  time_range: { oldest: string | null; newest: string | null };
  error_types: Record<string, number>;
  /** By the upstream that was asked, or `gateway`. */
  error_services: Record<string, number>;
  error_endpoints: Record<string, number>;
}

/** Failed requests, the newest of which are kept. */
export interface ErrorStore {
  /** `disk`, or `memory` without a folder or if it cannot be written. */
  readonly storage: "disk" | "memory";
  /** Why a folder cannot be written. */
  readonly failure: string | undefined;
  /** File that new entries are written to; null in memory. */
  logFile(now: number): string | null;
  add(entry: ErrorEntry, now: number): void;
  /** Returns the newest entries, the newest first. */
  recent(count: number): Promise<ErrorEntry[]>;
  stats(): Promise<ErrorStats>;
  /** Finds the newest entry with a correlation id or a request id. */
  find(id: string): Promise<ErrorEntry | undefined>;
  /**
   * Stores when a group of errors was marked as resolved; undefined removes the mark. Without files, it is not stored.
   */
  mark(group: string, resolvedAt: number | undefined, now: number): void;
  /** Returns the stored marks: the times by group, in milliseconds since 1970. */
  marks(): Promise<ReadonlyMap<string, number>>;
  /**
   * Removes entries older than the given number of days. Returns the number of removed files or, in memory, entries.
   */
  cleanUp(days: number, now: number): number;
}

/** Number of entries that are kept in memory. */
const MAX_ENTRIES = 500;
const DAY_MS = 86_400_000;

/**
 * Creates the store, with files or in memory. Entries that cannot be written to a file are kept in memory. `markFiles`
 * are for the marks of groups.
 */
export function createErrorStore(files: DayFiles | undefined, markFiles?: DayFiles): ErrorStore {
  const kept: { entry: ErrorEntry; at: number }[] = [];

  async function* readNewestFirst(): AsyncGenerator<ErrorEntry> {
    for (const { entry } of kept.toReversed()) yield entry;
    if (files === undefined) return;
    for await (const line of files.readNewestFirst()) {
      const entry = tryJson(line);
      if (isEntry(entry)) yield entry;
    }
  }

  return {
    get storage() {
      return files === undefined || files.failure !== undefined ? "memory" : "disk";
    },
    get failure() {
      return files?.failure ?? markFiles?.failure;
    },
    logFile: (now) => files === undefined ? null : files.pathAt(now),
    add(entry, now) {
      if (files?.append(JSON.stringify(entry), now)) return;
      kept.push({ entry, at: now });
      if (kept.length > MAX_ENTRIES) kept.shift();
    },
    async recent(count) {
      const entries: ErrorEntry[] = [];
      for await (const entry of readNewestFirst()) {
        if (entries.push(entry) >= count) break;
      }
      return entries;
    },
    async stats() {
      const counts = { types: new Map(), services: new Map(), endpoints: new Map() };
      let total = 0;
      let oldest: string | null = null;
      let newest: string | null = null;
      for await (const { timestamp, error_type, request, context } of readNewestFirst()) {
        total++;
        newest ??= timestamp;
        oldest = timestamp;
        count(counts.types, error_type);
        count(counts.services, String(context.answeredBy ?? "gateway").split("/")[0] ?? "");
        count(counts.endpoints, `${request.method} ${request.path}`);
      }
      return {
        total_errors: total,
        time_range: { oldest, newest },
        error_types: toObject(counts.types),
        error_services: toObject(counts.services),
        error_endpoints: toObject(counts.endpoints),
      };
    },
    async find(id) {
      for await (const entry of readNewestFirst()) {
        if (entry.correlation_id === id || entry.context.request_id === id) return entry;
      }
      return undefined;
    },
    mark(group, resolvedAt, now) {
      markFiles?.append(JSON.stringify({ group, resolved_at: resolvedAt ?? null }), now);
    },
    async marks() {
      const newest = new Map<string, number | undefined>();
      for await (const line of markFiles?.readNewestFirst() ?? []) {
        const mark = tryJson(line);
        if (!isObject(mark) || typeof mark.group !== "string" || newest.has(mark.group)) continue;
        newest.set(mark.group, typeof mark.resolved_at === "number" ? mark.resolved_at : undefined);
      }
      return new Map([...newest].flatMap(([group, at]) => at === undefined ? [] : [[group, at] as const]));
    },
    cleanUp(days, now) {
      const isOld = ({ at }: { at: number }) => at < now - days * DAY_MS;
      const old = kept.filter(isOld).length;
      kept.splice(0, old);
      return old + (files?.cleanUp(days, now) ?? 0);
    },
  };
}

/** Maximum number of different values that are counted. */
const MAX_VALUES = 200;

function count(counts: Map<string, number>, value: string): void {
  const key = counts.has(value) || counts.size < MAX_VALUES ? value : "other";
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function toObject(counts: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries(counts);
}

/** True if a parsed line is an entry that this program has written. */
function isEntry(value: unknown): value is ErrorEntry {
  return isObject(value) && typeof value.correlation_id === "string" && isObject(value.request) &&
    isObject(value.context);
}
