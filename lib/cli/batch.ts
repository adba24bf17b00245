import { requiresKeys } from "../config/gateway_keys.ts";
import { ConfigError, parseConfig, toSettings } from "../config/parse.ts";
import type { Config, Settings } from "../config/settings.ts";
import { isObject, tryJson } from "../base/json.ts";
import { startLog } from "../observability/log.ts";
import { systemClock } from "../runtime/clock.ts";
import { newId } from "../runtime/ids.ts";
import { isTerminal, type LineWriter, openLines, writeText } from "../runtime/json_lines.ts";
import { onStop } from "../runtime/process.ts";
import {
  BatchFileError,
  type BatchLine,
  checkBatchFile,
  keepSucceeded,
  readBatchFile,
} from "./batch_file.ts";
import type { CommandServices, ReadyHandler } from "./command.ts";
import { readFlags } from "./flags.ts";
import { isGiven, readSources } from "./sources.ts";
import { type Progress, progressBar } from "./progress_bar.ts";

/** Name of the key that the command gives itself if the gateway requires keys. Its cost is counted under this name. */
const KEY_NAME = "batch-command";

/** Attempts of a request that fails for a moment. */
const MAX_ATTEMPTS = 5;

/**
 * Runs `batch <file.jsonl>`: answers the requests of a file, `BATCH_CONCURRENCY` at a time, without a server.
 *
 * The results go to `<file>.results.jsonl` and, if stdout is not a terminal, to stdout. Ids that have succeeded in that
 * file are not asked again. Progress goes to stderr. Returns the exit status: 0 if all have succeeded, 1 if some have
 * not.
 *
 * @throws {ConfigError} if the settings or the file cannot be used.
 */
export async function runBatch(args: readonly string[], { createGateway }: CommandServices): Promise<number> {
  const [path, ...rest] = args;
  if (path === undefined || path.startsWith("-")) {
    throw new ConfigError([
      "Cannot run batch: the first argument must be a file of requests, such as requests.jsonl",
    ]);
  }
  const sources = await readSources(readFlags(rest));
  const config = parseConfig(sources);
  startLog(isGiven("LOG_LEVEL", sources) ? config.logLevel : "warn", {
    levels: config.logComponents,
    format: config.logFormat,
    // A line of the log replaces the bar, which the next progress draws again.
    prefix: isTerminal("stderr") ? ERASE_LINE : "",
  });
  try {
    const total = await checkBatchFile(path);
    const { settings, headers } = withOwnKey(toSettings(sources), config);
    const gateway = createGateway({ settings });
    await gateway.ready();
    onStop(() => gateway.stop(), { status: 1 });
    const failures = await answerFile(path, {
      gateway,
      headers,
      total,
      concurrency: config.batchConcurrency,
    });
    await gateway.stop();
    return failures > 0 ? 1 : 0;
  } catch (error) {
    throw error instanceof BatchFileError ? new ConfigError([error.message]) : error;
  }
}

/** Adds a random key to those of the gateway, if it requires keys. It never leaves the process. */
function withOwnKey(
  settings: Settings,
  config: Config,
): { settings: Settings; headers: Record<string, string> } {
  if (!requiresKeys(config)) return { settings, headers: {} };
  const key = newId("");
  const keys = [settings.GATEWAY_API_KEYS ?? [], `${KEY_NAME}:${key}`].flat().join(",");
  return { settings: { ...settings, GATEWAY_API_KEYS: keys }, headers: { "x-api-key": key } };
}

interface AnswerOptions {
  gateway: ReadyHandler;
  headers: Record<string, string>;
  total: number;
  concurrency: number;
}

/** Answers the requests of a file that have not succeeded. Returns the number of those that failed. */
async function answerFile(path: string, options: AnswerOptions): Promise<number> {
  const target = `${path}.results.jsonl`;
  const succeeded = await keepSucceeded(target);
  const results = await openLines(target);
  const progress: Progress = {
    done: succeeded.size,
    before: succeeded.size,
    total: options.total,
    errored: 0,
    elapsedMs: 0,
  };
  const show = startProgress(progress);
  const requests = readBatchFile(path);
  // Each worker takes the next request: the file is read only as fast as it is answered.
  const work = async () => {
    for await (const line of { [Symbol.asyncIterator]: () => ({ next: () => requests.next() }) }) {
      if (succeeded.has(line.customId)) continue;
      const result = await answerLine(line, options);
      progress.done++;
      if (result.type === "errored") progress.errored++;
      await writeResult(results, line.customId, result.json);
      show.update();
    }
  };
  await Promise.all(Array.from({ length: options.concurrency }, work));
  await results.close();
  await show.end(target);
  return progress.errored;
}

async function writeResult(results: LineWriter, customId: string, json: string): Promise<void> {
  const text = `{"custom_id":${JSON.stringify(customId)},"result":${json}}`;
  await results.write(text);
  if (!isTerminal("stdout")) await writeText("stdout", `${text}\n`);
}

/** Answers one request, and tries it again if that can help. */
async function answerLine(
  { params }: BatchLine,
  { gateway, headers }: AnswerOptions,
): Promise<{ type: "succeeded" | "errored"; json: string }> {
  const value = tryJson(params);
  // The answers of a batch are not streamed, whatever a request says.
  const body = isObject(value) ? JSON.stringify({ ...value, stream: false }) : params;
  for (let attempt = 1;; attempt++) {
    const response = await gateway.fetch(
      new Request("http://localhost/v1/messages", {
        method: "POST",
        headers: { ...headers, "content-type": "application/json" },
        body,
      }),
    );
    const json = await response.text();
    if (response.ok) return { type: "succeeded", json: `{"type":"succeeded","message":${json}}` };
    const pauseMs = toPause(response, attempt);
    if (pauseMs === undefined) return { type: "errored", json: `{"type":"errored","error":${json}}` };
    await new Promise<void>((resolve) => void systemClock.after(pauseMs, resolve));
  }
}

/** Returns the pause before the next attempt, in milliseconds, or `undefined` if none can help. */
function toPause({ status, headers }: Response, attempt: number): number | undefined {
  const isFinal = headers.get("x-should-retry") === "false" ||
    (status < 500 && status !== 408 && status !== 429);
  if (isFinal || attempt >= MAX_ATTEMPTS) return undefined;
  const seconds = Number(headers.get("retry-after") ?? Number.NaN);
  return Number.isFinite(seconds) ? Math.min(seconds, 3600) * 1000 : 1000 * 2 ** attempt;
}

/** Time between two drawings of the bar, in milliseconds. */
const DRAW_MS = 200;

/** Control characters that move to the start of the line and erase it. */
const ERASE_LINE = "\r\x1b[K";

/** Draws the progress on a terminal. Elsewhere only the last line is written. */
function startProgress(progress: Progress): { update(): void; end(target: string): Promise<void> } {
  const startedAt = systemClock.now();
  const draws = isTerminal("stderr");
  let drawnAt = 0;
  const measure = () => progress.elapsedMs = systemClock.now() - startedAt;
  const draw = () => {
    measure();
    drawnAt = systemClock.now();
    void writeText("stderr", `${ERASE_LINE}${progressBar(progress)}`);
  };
  if (draws) draw();
  return {
    update() {
      if (draws && systemClock.now() - drawnAt >= DRAW_MS) draw();
    },
    async end(target) {
      measure();
      await writeText("stderr", `${draws ? ERASE_LINE : ""}${progressBar(progress)}\nResults: ${target}\n`);
    },
  };
}
