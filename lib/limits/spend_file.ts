import * as v from "valibot";
import { ConfigError } from "../config/parse.ts";
import { logWarning } from "../observability/log.ts";
import { quote } from "../base/redact.ts";
import type { Charge } from "./quota.ts";

/** The spend of a period, and when that ends, in milliseconds since 1970. */
export interface Spend {
  usd: number;
  until: number;
}

/** A file that keeps what was spent. */
export interface SpendFile {
  /** What was in it when it was opened, by the names of meters. */
  readonly loaded: ReadonlyMap<string, Spend>;
  /** Adds what of these draws is spend; where that fails it is logged, and tried again with the next. */
  append(charges: readonly Charge[], now: number): void;
}

/** A line of the file: what one turn added to one budget. */
const Line = v.strictObject({
  meter: v.string(),
  usd: v.pipe(v.number(), v.finite(), v.minValue(0)),
  until: v.pipe(v.string(), v.isoTimestamp()),
});

/**
 * Opens the file `spend.jsonl` in a folder, which is made where there is none.
 *
 * Every turn adds its lines; the file is written anew, as a whole or not at all, when it is opened and when it has grown
 * long, without the periods that are over. It belongs to one gateway alone.
 *
 * @throws {ConfigError} if it can be neither read nor written, or holds anything else.
 */
export function openSpendFile(folder: string, now: number): SpendFile {
  const path = `${folder.replace(/\/+$/, "")}/spend.jsonl`;
  const stateDirError = (reason: string, cause?: unknown) =>
    Object.assign(new ConfigError([`Cannot use STATE_DIR ${quote(folder)}: ${reason}`]), { cause });
  if (typeof globalThis.process?.getBuiltinModule !== "function") {
    throw stateDirError("this runtime has no files");
  }
  const fs = process.getBuiltinModule("node:fs");
  let size = 0;
  let lines = 0;
  let unwritten = "";

  function compact(now: number): ReadonlyMap<string, Spend> {
    const spent = fs.existsSync(path) ? readSpend(fs.readFileSync(path, "utf8"), stateDirError) : new Map();
    const current = new Map([...spent].filter(([, { until }]) => until > now));
    const text = [...current].map(([meter, spend]) => formatSpend(meter, spend)).join("");
    fs.writeFileSync(`${path}.new`, text, { mode: 0o600 });
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
      logWarning("Spend could not be written to STATE_DIR", { error });
      if (unwritten.length < MAX_UNWRITTEN_CHARS) unwritten = text;
      truncatePartialLine();
    }
  }

  function tryCompact(now: number): void {
    lines = 0;
    try {
      compact(now);
    } catch (error) {
      logWarning("The file of spend in STATE_DIR could not be shortened", { error });
    }
  }

  /** Takes away the piece of a line that a full disk may have left. */
  function truncatePartialLine(): void {
    try {
      fs.truncateSync(path, size);
    } catch (error) {
      logWarning("The file of spend in STATE_DIR could not be mended", { error });
    }
  }
}

/** Lines after which the file is written anew, and characters that wait at most for a disk to be writable again. */
const MAX_LINES = 10_000;
const MAX_UNWRITTEN_CHARS = 1_000_000;

// The names of meters are ASCII, so that a line has as many bytes as characters.
function formatSpend(meter: string, { usd, until }: Spend): string {
  return `${JSON.stringify({ meter, usd, until: new Date(until).toISOString() })}\n`;
}

function readSpend(text: string, stateDirError: (reason: string) => ConfigError): Map<string, Spend> {
  const spent = new Map<string, Spend>();
  // What comes after the last end of a line was being written when a gateway was killed.
  for (const [at, line] of text.split("\n").slice(0, -1).entries()) {
    const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), Line), line);
    if (!parsed.success) {
      throw stateDirError(`line ${at + 1} of its spend.jsonl is damaged; mend or remove it`);
    }
    const { meter, usd, until } = parsed.output;
    spent.set(meter, { usd: (spent.get(meter)?.usd ?? 0) + usd, until: Date.parse(until) });
  }
  return spent;
}

/** Why a file cannot be had, without the path that runtimes put into their messages. */
function describeFileError(error: unknown): string {
  const { code, name } = error instanceof Error ? { code: undefined, ...error, name: error.name } : {};
  const reason = FILE_ERROR_REASONS[String(code)] ?? FILE_ERROR_REASONS[String(name)];
  return reason ?? `it cannot be read and written (${code ?? name})`;
}

const FILE_ERROR_REASONS: Record<string, string> = {
  EACCES: "this user may not read and write it",
  EPERM: "this user may not read and write it",
  EROFS: "it lies on a disk that is read only",
  EEXIST: "it is no folder",
  ENOTDIR: "it is no folder",
  NotCapable: "Deno was started without --allow-read and --allow-write for it",
  NotADirectory: "it is no folder",
};
