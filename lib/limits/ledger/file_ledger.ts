import * as v from "valibot";
import { logWarning } from "../../observability/log.ts";
import { NO_COUNTS } from "./counts.ts";
import { daysOf, firstKeptDay } from "./days.ts";
import type { LedgerBatch, LedgerStore } from "./ledger_store.ts";
import { type LedgerRow, LedgerTable } from "./table.ts";

/** Lines of a file from which it is rewritten as one line. */
const MAX_LINES = 5000;

/** Files that are removed at once. A clock that is wrong for a while then does not remove the whole ledger. */
const MAX_REMOVED_DAYS = 3;

const Count = v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0)), 0);

/** A line of a file: a batch. Counts of 0 are left out. */
const Line = v.pipe(
  v.string(),
  v.parseJson(),
  v.strictObject({
    batch: v.string(),
    rows: v.array(v.strictObject({
      by: v.picklist(["model", "session"]),
      client: v.string(),
      name: v.string(),
      requests: Count,
      turns: Count,
      unpriced: Count,
      reported: Count,
      listed: Count,
      input: Count,
      cacheRead: Count,
      cacheWrite: Count,
      output: Count,
      last: Count,
    })),
  }),
);

/** Content of the file of a day. */
interface DayFile {
  rows: LedgerRow[];
  batches: ReadonlySet<string>;
  lines: number;
  damaged: number;
  /** True if the last line has its line feed. */
  isWhole: boolean;
}

/**
 * Creates a store in the folder `ledger` of a folder: one file a UTC day, `2026-11-30.jsonl`, with one batch a line.
 *
 * The file of a day is rewritten as one line after 5000 lines and when the next day begins, unless it is damaged. Files
 * older than 400 days are removed, a few with each new day. Only one gateway may use the folder.
 */
export function createFileLedger(stateDir: string, { maxLines = MAX_LINES } = {}): LedgerStore {
  const folder = `${stateDir.replace(/\/+$/, "")}/ledger`;
  const { promises: fs } = process.getBuiltinModule("node:fs");
  /** The day that was written last. */
  let current: { day: string; lines: number; isWhole: boolean; batches: Set<string> } | undefined;

  const pathOf = (day: string) => `${folder}/${day}.jsonl`;

  async function readDay(day: string): Promise<DayFile> {
    const text = await fs.readFile(pathOf(day), "utf8").catch((error) => {
      if (isMissing(error)) return "";
      throw error;
    });
    return parseDay(day, text);
  }

  /** Opens the file of a day for writing, and closes that of the day before. */
  async function start(day: string): Promise<NonNullable<typeof current>> {
    await fs.mkdir(folder, { recursive: true, mode: 0o700 });
    const old = (await listDays()).filter((stored) => stored < firstKeptDay(day));
    for (const stored of old.slice(0, MAX_REMOVED_DAYS)) await fs.rm(pathOf(stored), { force: true });
    if (current !== undefined && current.day < day) await compact(current.day, current.batches);
    const { lines, batches, isWhole } = await readDay(day);
    return { day, lines, isWhole, batches: new Set(batches) };
  }

  async function listDays(): Promise<string[]> {
    const names = await fs.readdir(folder).catch((error) => {
      if (isMissing(error)) return [];
      throw error;
    });
    return names.filter((name) => FILE.test(name)).map((name) => name.replace(".jsonl", "")).sort();
  }

  async function writeDay(day: string, { id, rows }: LedgerBatch): Promise<void> {
    if (current?.day !== day) current = await start(day);
    if (current.batches.has(id)) return;
    const line = `${formatLine(id, rows)}\n`;
    // A partial line of a killed process, or of a full disk, would damage this one.
    const text = current.isWhole ? line : `\n${line}`;
    current.isWhole = false;
    await fs.appendFile(pathOf(day), text, { mode: 0o600 });
    current.isWhole = true;
    current.batches.add(id);
    current.lines++;
    if (current.lines >= maxLines) {
      await compact(day, new Set([id]));
      current.lines = 1;
      current.batches = new Set([id]);
    }
  }

  /** Rewrites a file as one line. A failure is logged, and the file stays as it is. */
  async function compact(day: string, ids: ReadonlySet<string>): Promise<void> {
    try {
      const { rows, damaged } = await readDay(day);
      if (damaged > 0) return;
      const table = new LedgerTable();
      for (const row of rows) table.add(row);
      const [id = "sum"] = [...ids].slice(-1);
      const path = `${pathOf(day)}.new`;
      // An earlier file may be a leftover, or a link that another program has placed there.
      await fs.rm(path, { force: true });
      await fs.writeFile(path, `${formatLine(id, table.rows())}\n`, { mode: 0o600, flag: "wx" });
      await fs.rename(path, pathOf(day));
    } catch (error) {
      logWarning("file of the ledger not compacted", { day, error }, "limits");
    }
  }

  return {
    place: "disk",
    async write({ id, rows }) {
      const table = new LedgerTable();
      for (const row of rows) table.add(row);
      for (const day of table.days.sort()) await writeDay(day, { id, rows: table.rows(day) });
    },
    async read(range) {
      const stored = await listDays();
      const days = new Set(daysOf(range));
      const files = [];
      for (const day of stored) if (days.has(day)) files.push(await readDay(day));
      return {
        rows: files.flatMap(({ rows }) => rows),
        since: stored[0],
        damaged: files.reduce((sum, { damaged }) => sum + damaged, 0),
      };
    },
  };
}

const FILE = /^\d{4}-\d\d-\d\d\.jsonl$/;

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

function formatLine(batch: string, rows: readonly LedgerRow[]): string {
  return JSON.stringify({
    batch,
    rows: rows.map(({ by, client, name, counts }) => ({
      by,
      client,
      name,
      ...Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0)),
    })),
  });
}

function parseDay(day: string, text: string): DayFile {
  const rows: LedgerRow[] = [];
  const batches = new Set<string>();
  const lines = text.split("\n").filter((line) => line !== "");
  let damaged = 0;
  for (const line of lines) {
    const parsed = v.safeParse(Line, line);
    if (!parsed.success) damaged++;
    else if (!batches.has(parsed.output.batch)) {
      batches.add(parsed.output.batch);
      for (const { by, client, name, ...counts } of parsed.output.rows) {
        rows.push({ day, by, client, name, counts: { ...NO_COUNTS, ...counts } });
      }
    }
  }
  return { rows, batches, lines: lines.length, damaged, isWhole: text === "" || text.endsWith("\n") };
}
