/** Progress of a batch. */
export interface Progress {
  /** Requests that have a result. */
  done: number;
  total: number;
  errored: number;
  /** Requests that had a result before the program started. */
  before: number;
  elapsedMs: number;
}

/** Width of the bar, in characters. */
const BAR_CHARS = 30;

/**
 * Returns the progress as one line: a bar, the numbers, the rate and the time that is left.
 *
 * @example Usage
 * ```ts
 * import { progressBar } from "./progress_bar.ts";
 *
 * const line = progressBar({ done: 50, total: 100, errored: 1, before: 0, elapsedMs: 10_000 });
 * if (line !== "[###############---------------] 50/100, 1 errored, 5.0/s, 0:10 left") throw new Error(line);
 * ```
 */
export function progressBar({ done, total, errored, before, elapsedMs }: Progress): string {
  const filled = total === 0 ? BAR_CHARS : Math.floor((done / total) * BAR_CHARS);
  const bar = "#".repeat(filled) + "-".repeat(BAR_CHARS - filled);
  const rate = elapsedMs > 0 ? ((done - before) * 1000) / elapsedMs : 0;
  const parts = [
    `[${bar}] ${done}/${total}`,
    ...(errored > 0 ? [`${errored} errored`] : []),
    ...(rate > 0 ? [`${rate.toFixed(1)}/s`] : []),
    ...(rate > 0 && done < total ? [`${toMinutes((total - done) / rate)} left`] : []),
  ];
  return parts.join(", ");
}

function toMinutes(seconds: number): string {
  const whole = Math.ceil(seconds);
  const [minutes, rest] = [Math.floor(whole / 60), whole % 60];
  const hours = Math.floor(minutes / 60);
  const padded = (value: number) => String(value).padStart(2, "0");
  return hours > 0 ? `${hours}:${padded(minutes % 60)}:${padded(rest)}` : `${minutes}:${padded(rest)}`;
}
