import { UNAUTHENTICATED } from "../config/gateway_keys.ts";
import type { Config } from "../config/settings.ts";
import { listSecrets } from "../config/secrets.ts";
import { type BodyLog, createBodyLog } from "../observability/body_log.ts";
import { type Counters, createCounters } from "../observability/counters.ts";
import { toErrorEntry } from "../observability/errors/error_entry.ts";
import { createErrorStore, type ErrorStore } from "../observability/errors/error_store.ts";
import { errorChain } from "../observability/log.ts";
import { createMasks } from "../observability/mask.ts";
import { createGatewayMetrics, type GatewayMetrics } from "../observability/metrics/gateway_metrics.ts";
import { type FinishedRequest, logRequest } from "../observability/request_record.ts";
import type { Clock } from "../runtime/clock.ts";
import { type DayFiles, openDayFiles } from "../runtime/day_files.ts";
import { readProcessId } from "../runtime/process.ts";

/** What the gateway keeps about its requests, for the operator. */
export interface Operations {
  counters: Counters;
  metrics: GatewayMetrics;
  errors: ErrorStore;
  /** Undefined if bodies are not logged. */
  bodies: BodyLog | undefined;
  /** Reports a finished request to the log, the metrics and the files. */
  onRequestEnd(finished: FinishedRequest): void;
}

const MIB = 1024 * 1024;

/** Creates the records of the settings; all are empty. A folder that cannot be written is reported, not thrown. */
export function createOperations(
  config: Omit<Config, "gatewayApiKeys" | "gatewayAdminKey">,
  clock: Clock,
): Operations {
  const masksOf = createMasks(listSecrets(config));
  const counters = createCounters(clock.now());
  const metrics = createGatewayMetrics(counters);
  const open = (name: string, limits: { maxFileBytes: number; maxFiles: number }): DayFiles | undefined =>
    config.logDir === undefined ? undefined : openDayFiles({
      folder: `${config.logDir}/${name}`,
      days: config.logRetention,
      now: clock.now(),
      ...limits,
    });
  const errors = createErrorStore(open("errors", { maxFileBytes: 8 * MIB, maxFiles: 32 }));
  const bodyFiles = config.logBodies === "on"
    ? open("bodies", { maxFileBytes: 32 * MIB, maxFiles: 16 })
    : undefined;
  const bodies = bodyFiles && createBodyLog(bodyFiles);
  return {
    counters,
    metrics,
    errors,
    bodies,
    onRequestEnd(finished) {
      const { record, error, headers, content } = finished;
      metrics.countRequest(record, finished);
      if (error === undefined && content === undefined) return logRequest(record);
      const mask = masksOf(headers);
      const now = clock.now();
      logRequest({ ...record, ...(error !== undefined && { error: mask(errorChain(error)) }) });
      if (record.failure !== undefined && record.client !== UNAUTHENTICATED) {
        errors.add(toErrorEntry(finished, { mask, now, pid: readProcessId() }), now);
      }
      if (content !== undefined) bodies?.add(finished, { mask, now });
    },
  };
}
