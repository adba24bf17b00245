import { readdirSync, readFileSync } from "node:fs";

/** CPU time of each thread of a process so far, in nanoseconds, by the thread's id. */
export type CpuTimes = ReadonlyMap<string, number>;

/**
 * Reads the CPU time of a process from the accounting of the operating system.
 *
 * Source: https://docs.kernel.org/scheduler/sched-stats.html, `/proc/PID/schedstat`
 */
export function readCpu(pid: number): CpuTimes {
  const times = new Map<string, number>();
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const time = readThread(`/proc/${pid}/task/${thread}/schedstat`);
    if (time !== undefined) times.set(thread, time);
  }
  return times;
}

/** Reads the time of a thread; undefined if it has ended since its folder was listed. */
function readThread(path: string): number | undefined {
  try {
    return Number(readFileSync(path, "utf8").split(" ")[0]);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" || code === "ESRCH") return undefined;
    throw error;
  }
}

/** Returns the CPU time between two readings, in milliseconds. A thread that has ended between them does not count. */
export function cpuMsBetween(before: CpuTimes, after: CpuTimes): number {
  let nanoseconds = 0;
  for (const [thread, time] of after) nanoseconds += time - (before.get(thread) ?? 0);
  return nanoseconds / 1e6;
}

/** Returns the resident memory of a process, in kB. */
export function readMemory(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}
