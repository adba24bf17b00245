import { startLog } from "../../lib/observability/log.ts";

/** The lines that are logged while something runs. */
export async function logOf(run: () => Promise<void>): Promise<string[]> {
  const lines: string[] = [];
  const original = console.error;
  console.error = (line: string) => lines.push(line);
  startLog("info");
  try {
    await run();
  } finally {
    startLog("off");
    console.error = original;
  }
  return lines;
}
