import assert from "node:assert/strict";
import { after, test } from "node:test";
import { logger, logWarning, printError, printLine, startLog } from "../../lib/observability/log.ts";
import { logRequest, type RequestRecord } from "../../lib/observability/request_record.ts";
import { createCounters } from "../../lib/observability/counters.ts";
import { createRepeatedWarning } from "../../lib/observability/repeated_warning.ts";
import { FakeClock } from "../kit/clock.ts";
import { captureLog } from "../kit/log.ts";

const RECORD: RequestRecord = {
  requestId: "req_1",
  correlationId: "req_1",
  client: "local",
  method: "POST",
  path: "/v1/messages",
  status: 200,
  outcome: "finished",
  milliseconds: 12,
  model: "big",
  answeredBy: "anthropic/claude-opus-5.5",
};

after(() => startLog("off"));

test("logRequest() writes no line if no log was started", () => {
  assert.deepEqual(stderrOf(() => logRequest(RECORD)), []);
});

test("logRequest() writes one line of JSON to stderr", () => {
  const [line, ...rest] = stderrOf(() => {
    startLog("info");
    logRequest(RECORD);
  });
  assert.deepEqual(rest, []);
  const { "@timestamp": time, ...record } = JSON.parse(line ?? "");
  assert.match(time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  assert.deepEqual(record, {
    level: "INFO",
    message: "request",
    logger: "openrouter-anthropic-server.request",
    ...RECORD,
  });
});

test("logRequest() bounds the line of a request with very long fields", () => {
  const long = "x".repeat(4_000_000);
  const loss = Array.from({ length: 100_000 }, (_, at) => `messages.${at}.${long.slice(0, 500)} dropped`);
  const [line = ""] = stderrOf(() => {
    startLog("info");
    logRequest({ ...RECORD, model: long, path: long, answeredBy: long, loss, error: new Error(long) });
  });
  assert.ok(line.length < 16 * 1024, String(line.length));
  const record = JSON.parse(line);
  assert.deepEqual([record.loss.length, record.loss.at(-1)], [21, "99980 more"]);
});

test("startLog() and printError() escape characters that terminals interpret or hide", () => {
  const hidden =
    "\u0000\u001b\u007f\u009b\u00ad\u061c\u200b\u200e\u200f\u2028\u202a\u202e\u2066\u2069\ufeff\u{e0041}\ud800";
  const lines = stderrOf(() => {
    startLog("info");
    logRequest({ ...RECORD, model: `m${hidden}`, loss: [hidden], error: new Error(hidden) });
    printError(`Cannot use "${hidden}"`);
  });
  assert.equal(lines.length, 2);
  for (const line of lines) {
    assert.doesNotMatch(line, /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
    assert.match(line, /\\u202e\\u2066/);
  }
  assert.equal(JSON.parse(lines[0] ?? "").model, `m${hidden}`);
});

const LEVELS: [record: Partial<RequestRecord>, level: string][] = [
  [{ status: 200 }, "INFO"],
  [{ status: 200, error: "api_error: cut" }, "WARN"],
  [{ status: 404 }, "WARN"],
  [{ status: 429 }, "WARN"],
  [{ status: 500 }, "ERROR"],
  [{ status: 529 }, "ERROR"],
];

for (const [record, level] of LEVELS) {
  test(`logRequest() logs ${JSON.stringify(record)} as ${level}`, () => {
    const [line] = stderrOf(() => {
      startLog("debug");
      logRequest({ ...RECORD, ...record });
    });
    assert.equal(JSON.parse(line ?? "").level, level);
  });
}

const LOGGED: Record<Parameters<typeof startLog>[0], string[]> = {
  debug: ["DEBUG", "INFO", "WARN", "ERROR"],
  info: ["INFO", "WARN", "ERROR"],
  warn: ["WARN", "ERROR"],
  error: ["ERROR"],
  off: [],
};

for (const level of ["debug", "info", "warn", "error", "off"] as const) {
  test(`startLog() filters by level ${level}`, () => {
    const lines = stderrOf(() => {
      startLog(level);
      logger.debug("d");
      logger.info("i");
      logger.warn("w");
      logger.error("e");
    });
    assert.deepEqual(lines.map((line) => JSON.parse(line).level), LOGGED[level]);
  });
}

test("logRequest() writes one line without credentials", () => {
  const lines = stderrOf(() => {
    startLog("info");
    logRequest({ ...RECORD, path: "/\n\u001b[31m?sk-or-v1-0123456789abcdef", error: "for Bearer hidden-1" });
    logger.error("failed with {key}", {
      key: "sk-ant-0123456789",
      error: new Error("x-api-key: hidden-2", { cause: new Error("http://me:hidden-3@host") }),
    });
  });
  assert.equal(lines.length, 2);
  for (const line of lines) {
    for (const hidden of ["\n", "\u001b", "0123456789", "hidden"]) {
      assert.equal(line.includes(hidden), false, line);
    }
    assert.ok(JSON.parse(line));
  }
});

test("logRequest() truncates long texts of clients", () => {
  const [line] = stderrOf(() => {
    startLog("info");
    logRequest({ ...RECORD, model: "m".repeat(100_000) });
  });
  assert.equal(JSON.parse(line ?? "").model, "m".repeat(300));
});

test("startLog() writes the prefix before each line", () => {
  const lines = stderrOf(() => {
    startLog("warn", { prefix: "\r\x1b[K" });
    for (const message of ["one", "two"]) logWarning(message, {});
    startLog("warn");
    logWarning("three", {});
  });
  const shown = lines.map((line) => line.replace(/\{.*/, (json) => JSON.parse(json).message));
  assert.deepEqual(shown, ["\r\x1b[Kone", "\r\x1b[Ktwo", "three"]);
});

test("createRepeatedWarning() logs the first failure, then one a minute with their number", async () => {
  const clock = new FakeClock();
  const lines = await captureLog(async () => {
    const warn = createRepeatedWarning("store unreachable", { clock, component: "limits" });
    for (let second = 0; second < 150; second++) {
      warn(new Error(`at ${second} s`));
      clock.advance(1000);
    }
  });
  const shown = lines.map((line) => JSON.parse(line)).map(({ logger, error, failures }) => [
    logger,
    error,
    failures,
  ]);
  const name = "openrouter-anthropic-server.limits";
  assert.deepEqual(shown, [
    [name, "Error: at 0 s", 1],
    [name, "Error: at 60 s", 60],
    [name, "Error: at 120 s", 60],
  ]);
});

test("printLine() writes to stdout and printError() to stderr", () => {
  assert.deepEqual(outputOf("log", () => printLine("a")), ["a"]);
  assert.deepEqual(stderrOf(() => printError("b")), ["b"]);
});

test("createCounters() starts at zero", () => {
  const { startedAt, requests, open, failures } = createCounters(7);
  assert.deepEqual([startedAt, requests, open], [7, 0, 0]);
  assert.deepEqual(failures, { limit: 0, access: 0, client: 0, upstream: 0, store: 0, gateway: 0 });
});

function stderrOf(run: () => void): string[] {
  return outputOf("error", run);
}

/** Returns the lines that a function writes through one method of the console, which is restored afterwards. */
function outputOf(method: "log" | "error", run: () => void): string[] {
  const lines: string[] = [];
  const original = console[method];
  console[method] = (line: string) => lines.push(line);
  try {
    run();
  } finally {
    console[method] = original;
  }
  return lines;
}
