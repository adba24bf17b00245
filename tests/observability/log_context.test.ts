import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { test } from "node:test";
import { configureSync, type LogRecord, resetSync, withContext } from "@logtape/logtape";
import { logLine } from "../../lib/observability/log.ts";

test("logLine() logs the properties of the embedding program's withContext()", () => {
  const records: LogRecord[] = [];
  configureSync({
    reset: true,
    sinks: { list: (record: LogRecord) => void records.push(record) },
    loggers: [
      { category: ["openrouter-anthropic-server"], sinks: ["list"] },
      { category: ["logtape", "meta"], sinks: [], lowestLevel: "fatal" },
    ],
    contextLocalStorage: new AsyncLocalStorage(),
  });
  try {
    withContext({ tenant: "one" }, () => logLine("request", "warning", { status: 404 }));
  } finally {
    resetSync();
  }
  assert.deepEqual(records.map(({ properties }) => properties), [{ tenant: "one", status: 404 }]);
});
