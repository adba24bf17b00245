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

/** Number of messages that are kept, beside older ones that run. */
const KEPT = 2000;
const KEPT_MS = 24 * 60 * 60 * 1000;

/** Creates the record of messages; it is empty. */
export function createTraffic(): Traffic {
  const byId = new Map<string, SeenRequest>();
  /** The newest messages; `begun % KEPT` is the place of the next. */
  const ring: SeenRequest[] = [];
  let begun = 0;
  /** Messages that still ran when their place was taken, the oldest first. */
  const displaced = new Set<SeenRequest>();
  const minutes = createMinutes();
  let running = 0;

  function place(request: SeenRequest): void {
    const at = begun++ % KEPT;
    const old = ring[at];
    ring[at] = request;
    byId.set(request.id, request);
    if (old === undefined) return;
    if (isRunning(old)) displaced.add(old);
    else byId.delete(old.id);
  }

  return {
    minutes,
    errors: createErrorGroups(),
    get running() {
      return running;
    },
    begin(start) {
      const { id, startedAt, client, session, program, correlationId, traceId } = start;
      // With all its fields from the start: engines keep such objects small.
      const request: SeenRequest = {
        id,
        startedAt,
        client,
        session,
        program,
        correlationId,
        traceId,
        firstEventAt: undefined,
        endedAt: undefined,
        model: undefined,
        answeredBy: undefined,
        state: "waiting",
        tool: undefined,
        streamed: undefined,
        status: undefined,
        failure: undefined,
        errorType: undefined,
        errorGroup: undefined,
        stopReason: undefined,
        inputTokens: undefined,
        cacheRead: undefined,
        cacheWrite: undefined,
        outputTokens: undefined,
        thinkingTokens: undefined,
        usd: undefined,
        costReported: undefined,
        price: undefined,
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
        headers: [],
      };
      place(request);
      minutes.begin(start.startedAt, ++running);
      return request;
    },
    end(request, now) {
      request.endedAt = now;
      minutes.end(request, now, --running);
      if (displaced.delete(request)) byId.delete(request.id);
    },
    find: (id) => byId.get(id),
    newest(now) {
      const next = begun % KEPT;
      return [...displaced, ...ring.slice(next), ...ring.slice(0, next)].reverse().filter((request) =>
        isRunning(request) || request.startedAt > now - KEPT_MS
      );
    },
  };
}

/** Adds a step to a message; beyond the maximum it is only counted. Returns the step, to be completed. */
export function addStep(seen: SeenRequest, step: SeenStep): SeenStep {
  step.name = step.name.slice(0, MAX_NAME_CHARS);
  if (seen.steps.length < MAX_STEPS) seen.steps.push(step);
  else seen.moreSteps++;
  return step;
}
