import type { StreamEvent } from "../anthropic/events.ts";
import type { Clock } from "../runtime/clock.ts";
import { withTimeout } from "../runtime/timeout.ts";

/** How long to hold an answer, and what to begin it with when that takes too long. */
export interface HoldOptions {
  clock: Clock;
  /** Milliseconds. */
  timeoutMs: number;
  /** The events that begin the answer before the upstream has said anything. */
  startEvents(): StreamEvent[];
}

/**
 * Holds an answer until the upstream has really begun it, so that a failure before that is an HTTP status.
 *
 * After some patience the answer begins anyway, with a `message_start` of the gateway's own, which then stands for the
 * upstream's.
 *
 * @throws what the upstream failed with before its first block.
 */
export async function holdAnswer(
  batches: AsyncGenerator<StreamEvent[]>,
  { clock, timeoutMs, startEvents }: HoldOptions,
): Promise<AsyncGenerator<StreamEvent[]>> {
  const pendingEvents = readUntilContent(batches);
  const firstEvents = await withTimeout(clock, timeoutMs, pendingEvents);
  if (firstEvents !== undefined) return prepend(firstEvents, batches);
  pendingEvents.catch(() => {}); // awaited below, unless the client leaves before
  return startEarly(startEvents(), pendingEvents, batches);
}

/** Reads up to the first event that says more than that a message begins. */
export async function readUntilContent(batches: AsyncGenerator<StreamEvent[]>): Promise<StreamEvent[]> {
  const events: StreamEvent[] = [];
  while (true) {
    const { done, value } = await batches.next();
    if (done) return events;
    events.push(...value);
    if (value.some(isContent)) return events;
  }
}

/** Whether an event says more than that a message begins. */
export function isContent({ type }: StreamEvent): boolean {
  return type !== "message_start" && type !== "ping";
}

/** Gives what has begun, then the rest. */
export async function* prepend(
  firstEvents: StreamEvent[],
  batches: AsyncGenerator<StreamEvent[]>,
): AsyncGenerator<StreamEvent[]> {
  try {
    yield firstEvents;
    yield* batches;
  } finally {
    await batches.return(undefined);
  }
}

async function* startEarly(
  startEvents: StreamEvent[],
  pendingEvents: Promise<StreamEvent[]>,
  batches: AsyncGenerator<StreamEvent[]>,
): AsyncGenerator<StreamEvent[]> {
  try {
    yield startEvents;
    yield (await pendingEvents).filter(({ type }) => type !== "message_start");
    yield* batches;
  } finally {
    await batches.return(undefined);
  }
}
