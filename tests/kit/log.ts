import { startLog } from "../../lib/observability/log.ts";

/** Returns the lines that are logged while a function runs. */
export async function captureLog(
  run: () => Promise<void>,
  level: Parameters<typeof startLog>[0] = "info",
): Promise<string[]> {
  const lines: string[] = [];
  const original = console.error;
  console.error = (line: string) => lines.push(line);
  startLog(level);
  try {
    await run();
  } finally {
    startLog("off");
    console.error = original;
  }
  return lines;
}
