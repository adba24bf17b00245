import { KEEP_MS } from "../../durable/answer_store.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Recording } from "./recording.ts";

/** Memory that an answer takes beside its body, in bytes. */
const OVERHEAD_BYTES = 1024;

/** Complete answers of the last day, in memory. */
export interface MemoryAnswers {
  /** Keeps an answer. Beyond the maximum, the oldest answers of the owner that has most are dropped. */
  add(owner: string, name: string, recording: Recording): void;
  find(name: string): Recording | undefined;
}

interface Kept {
  owner: string;
  recording: Recording;
  bytes: number;
  until: number;
}

/** Creates an empty memory of answers with at most `maxBytes` together. */
export function createMemoryAnswers(
  { clock, maxBytes }: { clock: Clock; maxBytes: number },
): MemoryAnswers {
  /** Oldest first. */
  const kept = new Map<string, Kept>();
  const bytesOf = new Map<string, number>();
  let bytes = 0;

  function count(owner: string, change: number): void {
    bytes += change;
    const ofOwner = (bytesOf.get(owner) ?? 0) + change;
    if (ofOwner === 0) bytesOf.delete(owner);
    else bytesOf.set(owner, ofOwner);
  }

  function forget(name: string): void {
    const entry = kept.get(name);
    if (entry === undefined) return;
    kept.delete(name);
    count(entry.owner, -entry.bytes);
  }

  /** Drops the oldest answer of the owner that has most. */
  function dropOne(): void {
    const [most] = [...bytesOf].reduce((one, other) => other[1] > one[1] ? other : one);
    for (const [name, { owner }] of kept) if (owner === most) return forget(name);
  }

  return {
    add(owner, name, recording) {
      forget(name);
      for (const [oldest, { until }] of kept) {
        if (until > clock.now()) break;
        forget(oldest);
      }
      const entry = { owner, recording, bytes: recording.bytes + OVERHEAD_BYTES };
      kept.set(name, { ...entry, until: clock.now() + KEEP_MS });
      count(owner, entry.bytes);
      while (bytes > maxBytes) dropOne();
    },
    find(name) {
      const entry = kept.get(name);
      if (entry === undefined || entry.until > clock.now()) return entry?.recording;
      forget(name);
      return undefined;
    },
  };
}
