import { type RequestTrace, type TraceIds, UNTRACED } from "./request_trace.ts";

/** What uses the API of OpenTelemetry, once it is loaded. */
let loaded: {
  startRequestTrace(request: Request): RequestTrace;
  activeTraceIds(): TraceIds | undefined;
} | undefined;

/** Under this symbol, the API keeps the providers of the process, for all copies of the package. Deno sets it, too. */
const PROVIDERS = Symbol.for("opentelemetry.js.api.1");

/**
 * True if the process has a provider of OpenTelemetry, and its API is not loaded. One may be registered at any time.
 */
export function lacksTelemetry(): boolean {
  return loaded === undefined && PROVIDERS in globalThis;
}

/** Loads the API of OpenTelemetry. */
export async function loadTelemetry(): Promise<void> {
  const [{ startRequestTrace }, { activeTraceIds }] = await Promise.all([
    import("./tracing.ts"),
    import("./trace_ids.ts"),
  ]);
  loaded = { startRequestTrace, activeTraceIds };
}

/** Starts the trace of a request, after {@linkcode loadTelemetry}. */
export function startRequestTrace(request: Request): RequestTrace {
  return loaded?.startRequestTrace(request) ?? UNTRACED;
}

/** Returns the ids of the active span; `undefined` if tracing is off. */
export function activeTraceIds(): TraceIds | undefined {
  return loaded?.activeTraceIds();
}
