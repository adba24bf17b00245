import type { FileStore } from "../../durable/file_store.ts";
import { logWarning } from "../../observability/log.ts";
import type { Clock } from "../../runtime/clock.ts";
import { listUnchanged, removeContent } from "../../runtime/content_files.ts";

/** Time between two removals, in milliseconds. */
const SWEEP_MS = 60_000;

/** Age from which content without a description is a leftover of an upload that a gateway did not finish. */
const LEFTOVER_MS = 3_600_000;

/**
 * Removes the content of files that have expired, and what uploads have left behind that did not end. The returned
 * function ends the removals.
 */
export function startFileSweep(store: FileStore, clock: Clock): () => void {
  const sweep = async () => {
    try {
      for (const id of store.takeExpired(clock.now())) await removeContent(store.toPath(id));
      const old = await listUnchanged(store.toPath("."), clock.now() - LEFTOVER_MS);
      for (const name of old.filter((entry) => !store.has(entry))) await removeContent(store.toPath(name));
    } catch (error) {
      if (!stopped) logWarning("old files in DATA_DIR not removed", { error });
    }
  };
  let stopped = false;
  const cancel = clock.every(SWEEP_MS, () => void sweep());
  return () => {
    stopped = true;
    cancel();
  };
}
