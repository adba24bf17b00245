import type { AnswerStore } from "../../durable/answer_store.ts";
import { logWarning } from "../../observability/log.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { RecordingSink, ResponseHead } from "./recording.ts";

/** Size and age of the text that is written at once: one write for each event of a stream would be too many. */
const FLUSH_BYTES = 64 * 1024;
const FLUSH_MS = 250;

/** Options of {@linkcode createStoreSink}. */
export interface StoreSinkOptions {
  store: AnswerStore;
  clock: Clock;
  /** Id of the answer in the store. */
  id: string;
  /** True if a failure that ended the answer is not its own: the gateway is stopping. */
  isStopping(): boolean;
  /** Called once, when the recording has ended and the store is complete. */
  onEnd(): void;
}

/** Writes a recording into the store while it is made, so that other gateways can follow it. */
export function createStoreSink({ store, clock, id, isStopping, onEnd }: StoreSinkOptions): RecordingSink {
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  let bytes = 0;
  let nth = 0;
  let failed = false;
  let lastText = "";
  let cancelFlush: (() => void) | undefined;

  /** A failure of the disk must not end the answer: it is then not kept. */
  function attempt(write: () => void): void {
    if (failed) return;
    try {
      write();
    } catch (error) {
      failed = true;
      logWarning("answer not kept in DATA_DIR", { error });
    }
  }

  function flush(): void {
    cancelFlush?.();
    cancelFlush = undefined;
    if (pendingBytes === 0) return;
    const piece = concat(pending, pendingBytes);
    pending = [];
    pendingBytes = 0;
    attempt(() => store.append(id, nth++, piece));
  }

  return {
    onHead: ({ status, headers }: ResponseHead) =>
      attempt(() => store.open(id, { status, headers: JSON.stringify(headers) })),
    onPiece(piece) {
      pending.push(piece);
      pendingBytes += piece.byteLength;
      bytes += piece.byteLength;
      lastText = new TextDecoder().decode(piece.subarray(-LAST_BYTES));
      if (pendingBytes >= FLUSH_BYTES) flush();
      else cancelFlush ??= clock.after(FLUSH_MS, flush);
    },
    onEnd(error) {
      flush();
      const isCut = isStopping() && (error !== undefined || /(^|\n)event: error\n/.test(lastText));
      attempt(() => error !== undefined || isCut ? store.fail(id) : store.finish(id, bytes));
      if (failed) giveUp();
      onEnd();
    },
  };

  function giveUp(): void {
    try {
      store.fail(id);
    } catch {
      // The failure was logged. The answer is lost when this gateway ends.
    }
  }
}

/** Bytes at the end of a piece in which an `error` event is looked for. */
const LAST_BYTES = 16 * 1024;

function concat(pieces: readonly Uint8Array[], size: number): Uint8Array {
  const whole = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.byteLength;
  }
  return whole;
}
