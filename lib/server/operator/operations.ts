import { UNAUTHENTICATED } from "../../config/gateway_keys.ts";
import type { McpServer } from "../../config/mcp/mcp_config.ts";
import type { Config, Settings } from "../../config/settings.ts";
import { listSecrets } from "../../config/secrets.ts";
import { type BodyLog, createBodyLog } from "../../observability/body_log.ts";
import { type Counters, createCounters } from "../../observability/counters.ts";
import { toErrorEntry } from "../../observability/errors/error_entry.ts";
import { createErrorStore, type ErrorStore } from "../../observability/errors/error_store.ts";
import { errorChain } from "../../observability/log.ts";
import { createMasks, type Masks } from "../../observability/mask.ts";
import { createGatewayMetrics, type GatewayMetrics } from "../../observability/metrics/gateway_metrics.ts";
import { type FinishedRequest, logRequest } from "../../observability/request_record.ts";
import { completeSeen, toSeenError } from "../../observability/traffic/complete_seen.ts";
import { createTraffic, type Traffic } from "../../observability/traffic/traffic.ts";
import type { Clock } from "../../runtime/clock.ts";
import { type DayFiles, openDayFiles } from "../../runtime/day_files.ts";
import { openPrivateFolder, type PrivateFolder } from "../../runtime/private_files.ts";
import { readProcessId } from "../../runtime/process.ts";
import { createSessionStore, type SessionStore } from "./session_store.ts";
import type { Recorder } from "./recorder.ts";

/** What the gateway keeps about its requests, for the operator. A change of the settings leaves it as it is. */
export interface Records {
  counters: Counters;
  metrics: GatewayMetrics;
  errors: ErrorStore;
  sessions: SessionStore;
  /** Messages for the operator's page. */
  traffic: Traffic;
  /** Undefined if bodies are not logged. */
  bodies: BodyLog | undefined;
  /** Folder of recorded messages; undefined if none are recorded. */
  recordings: PrivateFolder | undefined;
}

/** The records, and how requests are added to them under the settings in force. */
export interface Operations extends Records {
  masks: Masks;
  /** Reports a finished request to the log, the metrics and the files. */
  onRequestEnd(finished: FinishedRequest, recorder?: Recorder): void;
}

const MIB = 1024 * 1024;
/** Maximum number of recordings. The oldest are removed. */
const MAX_RECORDINGS = 500;

/** Creates the records of the settings; all are empty. A folder that cannot be written is reported, not thrown. */
export function createRecords(
  config: Pick<Config, "logDir" | "logRetention" | "logBodies" | "recordDir">,
  clock: Clock,
): Records {
  const counters = createCounters(clock.now());
  const open = (name: string, limits: { maxFileBytes: number; maxFiles: number }): DayFiles | undefined =>
    config.logDir === undefined ? undefined : openDayFiles({
      folder: `${config.logDir}/${name}`,
      days: config.logRetention,
      now: clock.now(),
      ...limits,
    });
  const bodyFiles = config.logBodies === "on"
    ? open("bodies", { maxFileBytes: 32 * MIB, maxFiles: 16 })
    : undefined;
  return {
    counters,
    metrics: createGatewayMetrics(counters),
    errors: createErrorStore(
      open("errors", { maxFileBytes: 8 * MIB, maxFiles: 32 }),
      open("error_marks", { maxFileBytes: MIB, maxFiles: 32 }),
    ),
    sessions: createSessionStore(),
    traffic: createTraffic(),
    bodies: bodyFiles && createBodyLog(bodyFiles),
    recordings: config.recordDir === undefined
      ? undefined
      : openPrivateFolder(config.recordDir, { ending: ".json", maxFiles: MAX_RECORDINGS }),
  };
}

/** Adds to the records what follows from the settings: the secrets to mask, and what recordings say of them. */
export function createOperations(
  records: Records,
  { config, clock, settings, mcpServers }: {
    config: Omit<Config, "gatewayApiKeys" | "gatewayAdminKey">;
    clock: Clock;
    settings: Settings;
    mcpServers: readonly McpServer[];
  },
): Operations {
  const { metrics, sessions, errors, bodies, recordings, traffic } = records;
  const masks = createMasks(listSecrets(config, mcpServers));
  return {
    ...records,
    masks,
    onRequestEnd(finished, recorder) {
      const { record, error, headers, content, seen } = finished;
      metrics.countRequest(record, finished);
      sessions.add(finished, clock.now());
      if (seen !== undefined) traffic.end(completeSeen(seen, finished), clock.now());
      if (error === undefined && content === undefined && recorder === undefined) return logRequest(record);
      const mask = masks.ofRecords(headers);
      const now = clock.now();
      logRequest({ ...record, ...(error !== undefined && { error: mask(errorChain(error)) }) });
      if (error !== undefined && record.failure !== undefined) {
        const group = traffic.errors.add(toSeenError(finished, { failure: record.failure, mask }), now);
        if (seen !== undefined) seen.errorGroup = group.id;
      }
      if (record.failure !== undefined && record.client !== UNAUTHENTICATED) {
        errors.add(toErrorEntry(finished, { mask, now, pid: readProcessId() }), now);
      }
      if (content !== undefined) bodies?.add(finished, { mask, now });
      if (recorder !== undefined) {
        const recording = recorder.toRecording(finished, { settings, mask, now });
        const time = recording.recorded_at.replace(/[:.]/g, "-");
        void recordings?.write(`${time}-${record.requestId}`, `${JSON.stringify(recording, null, 1)}\n`);
      }
    },
  };
}
