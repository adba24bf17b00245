import type { StreamEvent } from "../anthropic/events.ts";
import type { Clock } from "../runtime/clock.ts";
import { readWhile } from "../base/passing_generator.ts";
import { prepend } from "../base/relay.ts";
import { withTimeout } from "../runtime/timeout.ts";

/** Options of {@linkcode holdAnswer}. */
export interface HoldOptions {
  clock: Clock;
  /** Maximum time to hold the answer, in milliseconds. */
  timeoutMs: number;
  /** Returns the events that start the answer after `timeoutMs` without content. */
  startEvents(): StreamEvent[];
}

/**
 * Holds an answer until its first content, so that an earlier failure becomes an HTTP status.
 *
 * After `timeoutMs`, the answer starts with the gateway's `message_start`, which replaces the upstream's.
 *
 * @throws the failure, if the answer fails before its first content and within `timeoutMs`.
 */
export async function holdAnswer(
  batches: AsyncGenerator<StreamEvent[]>,
  { clock, timeoutMs, startEvents }: HoldOptions,
): Promise<AsyncGenerator<StreamEvent[]>> {
  const pendingEvents = readUntilContent(batches);
  const firstEvents = await withTimeout(clock, timeoutMs, pendingEvents);
  if (firstEvents !== undefined) return prepend([firstEvents], batches);
  const lateEvents = pendingEvents.then((events) => events.filter(({ type }) => type !== "message_start"));
  lateEvents.catch(() => {}); // read later, unless the client disconnects first
  return prepend([startEvents(), lateEvents], batches);
}

/** Reads events up to the first content, or to the end. */
export async function readUntilContent(batches: AsyncGenerator<StreamEvent[]>): Promise<StreamEvent[]> {
  const events: StreamEvent[] = [];
  await readWhile(batches, (batch) => {
    events.push(...batch);
    return !batch.some(isContent);
  });
  return events;
}

/** True for every event except `message_start` and `ping`. */
export function isContent({ type }: StreamEvent): boolean {
  return type !== "message_start" && type !== "ping";
}
