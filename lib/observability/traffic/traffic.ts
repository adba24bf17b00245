import { createErrorGroups, type ErrorGroups } from "./error_groups.ts";
import { createMinutes, type Minutes } from "./minutes.ts";
import { isRunning, MAX_NAME_CHARS, MAX_STEPS, type SeenRequest, type SeenStep } from "./seen_request.ts";

/** Messages that run and the last that ended, for the operator's page. */
export interface Traffic {
  readonly minutes: Minutes;
  readonly errors: ErrorGroups;
  /** Number of messages that run. */
  readonly running: number;
  /** Adds a message that begins. */
  begin(start: SeenStart): SeenRequest;
  /** Ends a message whose fields are complete. */
  end(seen: SeenRequest, now: number): void;
  find(id: string): SeenRequest | undefined;
  /** Returns the messages, the newest first. */
  newest(now: number): SeenRequest[];
}

/** What is known of a message when it begins. */
export type SeenStart = Pick<
  SeenRequest,
  "id" | "startedAt" | "client" | "session" | "program" | "correlationId" | "traceId"
>;

/** Number of messages that are kept. */
const KEPT = 2000;
const KEPT_MS = 24 * 60 * 60 * 1000;

/** Creates the record of messages; it is empty. */
export function createTraffic(): Traffic {
  /** In the order of their beginning. The oldest are removed, even if they run. */
  const seen = new Map<string, SeenRequest>();
  const minutes = createMinutes();
  let running = 0;
  return {
    minutes,
    errors: createErrorGroups(),
    get running() {
      return running;
    },
    begin(start) {
      const request: SeenRequest = {
        ...start,
        state: "waiting",
        recorded: false,
        outputChars: 0,
        retries: 0,
        fallbacks: 0,
        remedies: 0,
        turns: 0,
        tools: 0,
        losses: [],
        moreLosses: 0,
        steps: [],
        moreSteps: 0,
      };
      seen.set(request.id, request);
      if (seen.size > KEPT) removeOldest(seen);
      minutes.begin(start.startedAt, ++running);
      return request;
    },
    end(request, now) {
      request.endedAt = now;
      minutes.end(request, now, --running);
    },
    find: (id) => seen.get(id),
    newest(now) {
      return [...seen.values()].reverse().filter((request) =>
        isRunning(request) || request.startedAt > now - KEPT_MS
      );
    },
  };
}

function removeOldest(seen: Map<string, SeenRequest>): void {
  for (const [id, request] of seen) {
    if (isRunning(request)) continue;
    seen.delete(id);
    return;
  }
  const [oldest] = seen.keys();
  if (oldest !== undefined) seen.delete(oldest);
}

/** Adds a step to a message; beyond the maximum it is only counted. Returns the step, to be completed. */
export function addStep(seen: SeenRequest, step: SeenStep): SeenStep {
  step.name = step.name.slice(0, MAX_NAME_CHARS);
  if (seen.steps.length < MAX_STEPS) seen.steps.push(step);
  else seen.moreSteps++;
  return step;
}
