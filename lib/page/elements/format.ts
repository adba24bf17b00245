/** Unknown, or not applicable. Zero is `0`. */
export const UNKNOWN = "–";

/** Returns a whole number with commas: `148,213`. */
export function formatExact(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** Returns a number exactly below 10,000, then three digits: `2,571`, `38.9k`, `1.24M`. */
export function formatCount(count: number): string {
  if (count < 9999.5) return formatExact(count);
  const [unit, size] = UNITS.find(([, size]) => count < size * 999.5) ?? ["T", 1e12];
  return `${threeDigits(count / size)}${unit}`;
}

const UNITS: readonly (readonly [string, number])[] = [["k", 1e3], ["M", 1e6], ["B", 1e9]];

function threeDigits(value: number): string {
  return value < 9.995 ? value.toFixed(2) : value < 99.95 ? value.toFixed(1) : value.toFixed(0);
}

/** Returns a duration: `540 ms`, `7.2 s`, `48 s`, `1 m 22 s`, `3 h 5 m`, `3 d 4 h`. */
export function formatDuration(ms: number): string {
  if (ms < 999.5) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return pair(minutes, "m", seconds % 60, "s");
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return pair(hours, "h", minutes % 60, "m");
  return pair(Math.floor(hours / 24), "d", hours % 24, "h");
}

function pair(one: number, unit: string, rest: number, restUnit: string): string {
  return rest === 0 ? `${one} ${unit}` : `${one} ${unit} ${rest} ${restUnit}`;
}

/** Returns seconds with two decimals, for the steps of a timeline: `0.01 s`. */
export function formatOffset(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

/** Returns a share of 1 in percent: `2.2%`, `96%`, `<0.1%`, `0%`. */
export function formatPercent(share: number): string {
  const percent = share * 100;
  if (percent <= 0) return "0%";
  if (percent < 0.1) return "<0.1%";
  return percent < 9.95 ? `${percent.toFixed(1)}%` : `${percent.toFixed(0)}%`;
}

/** Returns the cost of one request in USD: `$0.0236`, `<$0.0001`, `$0`. */
export function formatCost(usd: number): string {
  if (usd === 0) return "$0";
  return usd < 0.0001 ? "<$0.0001" : `$${usd.toFixed(4)}`;
}

/** Returns a sum in USD: `$412.68`, `$1,204.10`, `<$0.01`, `$0`. */
export function formatSum(usd: number): string {
  if (usd === 0) return "$0";
  if (usd < 0.01) return "<$0.01";
  const cents = Math.round(usd * 100);
  return `$${formatExact(Math.floor(cents / 100))}.${String(cents % 100).padStart(2, "0")}`;
}

/** Returns a change of a sum in USD, with a minus sign: `+$41.20`, `−$6.07`, `$0`. */
export function formatChange(usd: number): string {
  return Math.abs(usd) < 0.005 ? "$0" : `${usd < 0 ? "−" : "+"}${formatSum(Math.abs(usd))}`;
}

/** Returns a price in USD for 1M tokens, not rounded: `$0.125`, `$15`. */
export function formatPrice(usd: number): string {
  return `$${Number(usd.toPrecision(12))}`;
}

/** Returns the UTC day of a time in milliseconds: `2026-11-29`. */
export function formatDay(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

/** Returns a number with its noun: `1 request`, `412 requests`. */
export function formatNumber(count: number, noun: string, plural = `${noun}s`): string {
  return `${formatCount(count)} ${count === 1 ? noun : plural}`;
}
