/** Statistics of the calls since the toolbox was created. Times are in seconds. */
export interface ToolMetrics {
  total_executions: number;
  successful_executions: number;
  failed_executions: number;
  /** Share of calls that succeeded; 0 before the first call. */
  success_rate: number;
  average_execution_times: Record<string, number>;
  tool_usage_count: Record<string, number>;
  /** Number of failed calls by outcome. */
  error_breakdown: Record<string, number>;
  /** Maximum number of calls that ran at the same time. */
  max_concurrent_executions: number;
}

/** Outcome of a call. `failed`: its result is an error, or it was not allowed. */
export type Outcome = "ok" | "failed" | "timeout" | "cancelled" | "bug";

/** Counts calls and their outcomes. */
export interface MetricsRecorder {
  /** Records that a call starts to run. */
  start(): void;
  /** Records the end of a call. `ms` is its run time in milliseconds; undefined if it never started to run. */
  finish(tool: string, outcome: Outcome, ms: number | undefined): void;
  snapshot(): ToolMetrics;
}

/** Tools that are counted separately. Clients choose the names of MCP servers, so their number has no other limit. */
const MAX_TOOLS = 1000;
/** Name under which all further tools are counted. */
const OTHER_TOOLS = "(others)";

/** Creates a recorder with all counts at zero. */
export function createMetricsRecorder(): MetricsRecorder {
  const tools = new Map<string, { calls: number; runs: number; ms: number }>();
  const failures = new Map<string, number>();
  let running = 0;
  let maxRunning = 0;
  let total = 0;
  let succeeded = 0;

  return {
    start() {
      running++;
      maxRunning = Math.max(maxRunning, running);
    },
    finish(name, outcome, ms) {
      const tool = tools.has(name) || tools.size < MAX_TOOLS ? name : OTHER_TOOLS;
      total++;
      if (outcome === "ok") succeeded++;
      else failures.set(outcome, (failures.get(outcome) ?? 0) + 1);
      const { calls, runs, ms: before } = tools.get(tool) ?? { calls: 0, runs: 0, ms: 0 };
      tools.set(tool, {
        calls: calls + 1,
        runs: ms === undefined ? runs : runs + 1,
        ms: before + (ms ?? 0),
      });
      if (ms !== undefined) running--;
    },
    snapshot() {
      const all = [...tools];
      return {
        total_executions: total,
        successful_executions: succeeded,
        failed_executions: total - succeeded,
        success_rate: total === 0 ? 0 : succeeded / total,
        average_execution_times: Object.fromEntries(
          all.filter(([, { runs }]) => runs > 0).map(([name, { runs, ms }]) => [name, ms / runs / 1000]),
        ),
        tool_usage_count: Object.fromEntries(all.map(([name, { calls }]) => [name, calls])),
        error_breakdown: Object.fromEntries(failures),
        max_concurrent_executions: maxRunning,
      };
    },
  };
}
