import { joinBytes } from "../../base/encoding/join_bytes.ts";
import type { AnswerStore, HeldAnswer } from "../../durable/answer_store.ts";
import { logWarning } from "../../observability/log.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { RecordingSink, ResponseHead } from "./recording.ts";

/** Size and age of the text that is written at once: one write for each event of a stream would be too many. */
const FLUSH_BYTES = 64 * 1024;
const FLUSH_MS = 250;

/** How a recording has ended: kept, or given up; cut by the end of this gateway, so that another one may continue. */
export type SinkEnd = { kept: true } | { kept: false; cut: boolean; error: unknown };

/** Options of {@linkcode createStoreSink}. */
export interface StoreSinkOptions {
  store: AnswerStore;
  clock: Clock;
  /** The answer in the store. */
  held: HeldAnswer;
  /** True if a failure that ended the answer is not its own: the gateway is stopping. */
  isStopping(): boolean;
  /** Leaves an answer that is cut as it is: an engine has it continued. */
  leavesCut?: boolean;
  /** Called once, when the recording has ended and the store is complete. */
  onEnd(end: SinkEnd): void;
}

/** Writes a recording into the store while it is made, so that other gateways can follow it. */
export function createStoreSink(
  { store, clock, held, isStopping, leavesCut = false, onEnd }: StoreSinkOptions,
): RecordingSink {
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  let bytes = 0;
  let nth = 0;
  let lastText = "";
  let cancelFlush: (() => void) | undefined;
  /** The first failure of the store. It must not end the answer, which is then not kept. */
  let failure: unknown;
  let writes = Promise.resolve();

  /** Writes after all earlier writes. */
  function write(work: () => Promise<void>): void {
    writes = writes.then(async () => {
      if (failure !== undefined) return;
      try {
        await work();
      } catch (error) {
        failure = error;
        logWarning("answer not kept", { error });
      }
    });
  }

  function flush(): void {
    cancelFlush?.();
    cancelFlush = undefined;
    if (pendingBytes === 0) return;
    const piece = joinBytes(pending, pendingBytes);
    pending = [];
    pendingBytes = 0;
    const at = nth++;
    write(() => store.append(held, at, piece));
  }

  async function end(error: unknown): Promise<void> {
    const cut = isStopping() && (error !== undefined || /(^|\n)event: error\n/.test(lastText));
    const isKept = error === undefined && !cut;
    if (isKept) write(() => store.finish(held, bytes));
    else if (!cut || !leavesCut) write(() => store.fail(held));
    await writes;
    // The failure was logged. The answer is lost when this gateway ends.
    if (failure !== undefined && !leavesCut) await store.fail(held).catch(() => {});
    if (isKept && failure === undefined) onEnd({ kept: true });
    else onEnd({ kept: false, cut: cut || failure !== undefined, error: error ?? failure });
  }

  return {
    onHead: ({ status, headers }: ResponseHead) =>
      write(() => store.open(held, { status, headers: JSON.stringify(headers) })),
    onPiece(piece) {
      pending.push(piece);
      pendingBytes += piece.byteLength;
      bytes += piece.byteLength;
      lastText = new TextDecoder().decode(piece.subarray(-LAST_BYTES));
      if (pendingBytes >= FLUSH_BYTES) flush();
      else cancelFlush ??= clock.after(FLUSH_MS, flush);
    },
    async onEnd(error) {
      flush();
      await end(error);
    },
  };
}

/** Bytes at the end of a piece in which an `error` event is looked for. */
const LAST_BYTES = 16 * 1024;
