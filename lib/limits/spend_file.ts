import * as v from "valibot";
import { ConfigError } from "../config/parse.ts";
import { logWarning } from "../observability/log.ts";
import { quote } from "../base/redact.ts";
import { describeFileError } from "../runtime/file_errors.ts";
import type { Charge } from "./quota.ts";

/** Cost within a period; `until` is its end in milliseconds since 1970. */
export interface Spend {
  usd: number;
  until: number;
}

/** File that keeps cost across restarts. */
export interface SpendFile {
  /** Content of the file when it was opened, by quota name. */
  readonly loaded: ReadonlyMap<string, Spend>;
  /** Appends the charges to budgets. A failure is logged, and the write is retried with the next one. */
  append(charges: readonly Charge[], now: number): void;
}

/** A line of the file: the cost that one turn added to one budget. */
const Line = v.strictObject({
  meter: v.string(),
  usd: v.pipe(v.number(), v.finite(), v.minValue(0)),
  until: v.pipe(v.string(), v.isoTimestamp()),
});

/**
 * Opens the file `spend.jsonl` in a folder, and creates the folder if it is missing.
 *
 * Every turn appends lines. When the file is opened and when it has grown long, it is rewritten atomically without
 * periods that have ended. Only one gateway may use the file.
 *
 * @throws {ConfigError} if the file cannot be read or written, or is damaged.
 */
export function openSpendFile(folder: string, now: number): SpendFile {
  const path = `${folder.replace(/\/+$/, "")}/spend.jsonl`;
  const stateDirError = (reason: string, cause?: unknown) =>
    Object.assign(new ConfigError([`Cannot use STATE_DIR ${quote(folder)}: ${reason}`]), { cause });
  if (typeof globalThis.process?.getBuiltinModule !== "function") {
    throw stateDirError("this runtime has no file system");
  }
  const fs = process.getBuiltinModule("node:fs");
  let size = 0;
  let lines = 0;
  let unwritten = "";

  function compact(now: number): ReadonlyMap<string, Spend> {
    const spent = fs.existsSync(path) ? readSpend(fs.readFileSync(path, "utf8"), stateDirError) : new Map();
    const current = new Map([...spent].filter(([, { until }]) => until > now));
    const text = [...current].map(([meter, spend]) => formatSpend(meter, spend)).join("");
    // An earlier file may be a leftover, or a link that another program has placed there.
    fs.rmSync(`${path}.new`, { force: true });
    fs.writeFileSync(`${path}.new`, text, { mode: 0o600, flag: "wx" });
    fs.renameSync(`${path}.new`, path);
    size = text.length;
    return current;
  }

  function open(): ReadonlyMap<string, Spend> {
    try {
      fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
      return compact(now);
    } catch (error) {
      throw error instanceof ConfigError ? error : stateDirError(describeFileError(error), error);
    }
  }

  return {
    loaded: open(),
    append(charges, now) {
      const added = charges.flatMap(({ quota, amount: usd }) =>
        quota.kind === "budget" && usd > 0 ? [formatSpend(quota.name, { usd, until: quota.until })] : []
      );
      if (added.length === 0) return;
      write(added.join(""));
      lines += added.length;
      if (lines > MAX_LINES) tryCompact(now);
    },
  };

  function write(added: string): void {
    const text = unwritten + added;
    try {
      fs.appendFileSync(path, text);
      unwritten = "";
      size += text.length;
    } catch (error) {
      logWarning("cost not written to STATE_DIR, retrying with the next turn", { error }, "limits");
      if (unwritten.length < MAX_UNWRITTEN_CHARS) unwritten = text;
      truncatePartialLine();
    }
  }

  function tryCompact(now: number): void {
    lines = 0;
    try {
      compact(now);
    } catch (error) {
      logWarning("cost file in STATE_DIR not compacted", { error }, "limits");
    }
  }

  /** Removes a partial line, which a full disk may leave. */
  function truncatePartialLine(): void {
    try {
      fs.truncateSync(path, size);
    } catch (error) {
      logWarning("partial line in cost file in STATE_DIR not removed", { error }, "limits");
    }
  }
}

/** Appended lines after which the file is compacted. */
const MAX_LINES = 10_000;
/** Characters of unwritten lines beyond which further lines are dropped while writes fail. */
const MAX_UNWRITTEN_CHARS = 1_000_000;

// Quota names are ASCII, so the length of a line in characters is its length in bytes.
function formatSpend(meter: string, { usd, until }: Spend): string {
  return `${JSON.stringify({ meter, usd, until: new Date(until).toISOString() })}\n`;
}

function readSpend(text: string, stateDirError: (reason: string) => ConfigError): Map<string, Spend> {
  const spent = new Map<string, Spend>();
  // Text after the last line feed is a partial write of a killed gateway.
  for (const [at, line] of text.split("\n").slice(0, -1).entries()) {
    const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), Line), line);
    if (!parsed.success) {
      throw stateDirError(`line ${at + 1} of its spend.jsonl is damaged; repair or remove it`);
    }
    const { meter, usd, until } = parsed.output;
    spent.set(meter, { usd: (spent.get(meter)?.usd ?? 0) + usd, until: Date.parse(until) });
  }
  return spent;
}
