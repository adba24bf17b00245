import { ApiError } from "../../base/errors.ts";
import type { AnswerStore } from "../../durable/answer_store.ts";
import type { Clock } from "../../runtime/clock.ts";
import { type ResponseHead, toHeaders } from "./recording.ts";

/** Time between two looks at an answer that another gateway makes, in milliseconds. */
const POLL_MS = 200;

/** Options of {@linkcode followAnswer}. */
export interface FollowOptions {
  store: AnswerStore;
  clock: Clock;
  /** The signal of the client's request. */
  signal: AbortSignal;
}

/**
 * Returns an answer of the store from its start: a complete one, or one that another gateway is writing. Returns
 * `undefined` if the answer is lost before its response has begun.
 *
 * @throws the reason of the signal, if the client leaves before the response has begun.
 */
export async function followAnswer(
  id: string,
  { store, clock, signal }: FollowOptions,
): Promise<Response | undefined> {
  let found = store.state(id);
  while (found.state === "running") {
    await pause(clock);
    signal.throwIfAborted();
    found = store.state(id);
  }
  if (found.state === "lost") return undefined;
  const headers: ResponseHead["headers"] = JSON.parse(found.headers);
  let nth = 0;
  let left = false;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      while (!left) {
        // The state is read before the piece: the last piece is written before the state is `done`.
        const { state } = store.state(id);
        const piece = store.piece(id, nth);
        if (piece !== undefined) {
          nth++;
          return controller.enqueue(piece);
        }
        if (state === "done") return controller.close();
        if (state === "lost") return endLost(controller, toHeaders(headers));
        await pause(clock);
      }
    },
    cancel() {
      left = true;
    },
  }, { highWaterMark: 0 });
  return new Response(body, { status: found.status, headers: toHeaders(headers) });
}

/** Ends a body whose gateway has ended: a stream with an `error` event, any other as a broken connection. */
function endLost(controller: ReadableStreamDefaultController<Uint8Array>, headers: Headers): void {
  const error = new ApiError("overloaded_error", "Cannot finish the answer: its gateway has ended");
  if (!headers.get("content-type")?.startsWith("text/event-stream")) return controller.error(error);
  const { type, message } = error;
  const frame = `event: error\ndata: ${JSON.stringify({ type: "error", error: { type, message } })}\n\n`;
  controller.enqueue(new TextEncoder().encode(frame));
  controller.close();
}

function pause(clock: Clock): Promise<void> {
  return new Promise((resolve) => void clock.after(POLL_MS, resolve));
}
