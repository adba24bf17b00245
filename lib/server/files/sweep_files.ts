import type { Contents } from "../../durable/contents/contents.ts";
import type { FileStore } from "../../durable/file_store.ts";
import { logWarning } from "../../observability/log.ts";
import type { Clock } from "../../runtime/clock.ts";

/** Time between two removals, in milliseconds. */
const SWEEP_MS = 60_000;

/** Age from which content without a description is a leftover of an upload that a gateway did not finish. */
const LEFTOVER_MS = 3_600_000;

/**
 * Removes the content of files that have expired, and what uploads have left behind that did not end. The returned
 * function ends the removals.
 */
export function startFileSweep(store: FileStore, contents: Contents, clock: Clock): () => void {
  const sweep = async () => {
    try {
      for (const id of await store.takeExpired(clock.now())) await contents.remove(id);
      await contents.removeLeftovers(clock.now() - LEFTOVER_MS);
    } catch (error) {
      if (!stopped) logWarning("old files not removed", { error });
    }
  };
  let stopped = false;
  const cancel = clock.every(SWEEP_MS, () => void sweep());
  return () => {
    stopped = true;
    cancel();
  };
}
