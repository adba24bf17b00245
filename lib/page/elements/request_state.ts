import { CHARS_PER_TOKEN } from "../../base/chars_per_token.ts";
import { isRunning, type SeenRequest } from "../../observability/traffic/seen_request.ts";
import { formatDuration } from "./format.ts";
import type { Html } from "./html.ts";
import { state } from "./words.ts";

/** Time without a first event after which a request is marked as slow, if there is no p95 yet, in milliseconds. */
const SLOW_MS = 30_000;

/** True if a request waits longer for its first event than 95% of those of the last hour did. */
export function isSlow(
  { firstEventAt, startedAt, endedAt }: SeenRequest,
  now: number,
  p95Ms = SLOW_MS,
): boolean {
  return endedAt === undefined && firstEventAt === undefined && now - startedAt > Math.max(p95Ms, 1000);
}

/** Returns the word for the state of a request: `Streaming`, `Tool: Bash`, `Waiting 26 s`, `200`, `Cancelled`. */
export function stateWord(seen: SeenRequest, now: number, p95Ms?: number): string {
  if (!isRunning(seen)) {
    return seen.state === "cancelled" ? "Cancelled" : String(seen.status ?? seen.state);
  }
  switch (seen.state) {
    case "tool":
      return `Tool: ${seen.tool ?? ""}`;
    case "thinking":
      return "Thinking";
    case "streaming":
      return "Streaming";
    default:
      return isSlow(seen, now, p95Ms) ? `Waiting ${formatDuration(now - seen.startedAt)}` : "Waiting";
  }
}

/** Renders the state of a request. */
export function requestState(seen: SeenRequest, now: number, p95Ms?: number): Html {
  const word = stateWord(seen, now, p95Ms);
  switch (seen.state) {
    case "waiting":
      return isSlow(seen, now, p95Ms)
        ? state("warn", word, { shape: "waiting" })
        : state("run", word, { shape: "waiting" });
    case "tool":
      return state("run", word, { shape: "tool" });
    case "thinking":
    case "streaming":
      return state("run", word, { spins: true });
    case "finished":
      return state("done", word);
    case "failed":
      return state("bad", `${word}`);
    case "refused":
      return state("off", word, { shape: "stop" });
    case "cancelled":
      return state("off", word, { shape: "left" });
  }
}

/** Returns the time that a request has taken, or takes so far, in milliseconds. */
export function timeTaken({ startedAt, endedAt }: SeenRequest, now: number): number {
  return Math.max(0, (endedAt ?? now) - startedAt);
}

/** Returns the output tokens a second after the first event; undefined if too little is known. */
export function outputSpeed(seen: SeenRequest, now: number): number | undefined {
  const { firstEventAt, endedAt = now } = seen;
  const tokens = outputTokens(seen);
  if (firstEventAt === undefined || tokens === undefined || tokens === 0) return undefined;
  const seconds = (endedAt - firstEventAt) / 1000;
  return seconds >= 0.1 ? tokens / seconds : undefined;
}

/** Returns the output tokens; while a request runs, they are estimated from what has arrived. */
export function outputTokens(seen: SeenRequest): number | undefined {
  if (seen.outputTokens !== undefined) return seen.outputTokens;
  return isRunning(seen) ? Math.round(seen.outputChars / CHARS_PER_TOKEN) : undefined;
}
