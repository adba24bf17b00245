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
  /** Aborted when no gateway makes the answer any more. */
  givenUp?: AbortSignal | undefined;
}

/**
 * Returns an answer of the store from its start: a complete one, or one that another gateway is writing. Returns
 * `undefined` if the answer is lost before its response has begun.
 *
 * An answer that another gateway makes again is followed anew, unless a part of it was returned.
 *
 * @throws the reason of a signal, if the client leaves or the answer is given up before the response has begun.
 */
export async function followAnswer(
  id: string,
  { store, clock, signal, givenUp }: FollowOptions,
): Promise<Response | undefined> {
  let found = await store.state(id);
  while (found.state === "running") {
    await pause(clock);
    signal.throwIfAborted();
    givenUp?.throwIfAborted();
    found = await store.state(id);
  }
  if (found.state === "lost") return undefined;
  const { attempt, status } = found;
  const headers: ResponseHead["headers"] = JSON.parse(found.headers);
  let nth = 0;
  let left = false;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      while (!left) {
        // The state is read before the piece: the last piece is written before the state is `done`.
        const now = await store.state(id);
        const isBegun = now.state === "open" || now.state === "done";
        if (now.state === "lost" || givenUp?.aborted || (isBegun && now.attempt !== attempt && nth > 0)) {
          return endLost(controller, toHeaders(headers));
        }
        const piece = isBegun ? await store.piece(id, nth) : undefined;
        if (piece !== undefined) {
          nth++;
          return controller.enqueue(piece);
        }
        if (now.state === "done") return controller.close();
        await pause(clock);
      }
    },
    cancel() {
      left = true;
    },
  }, { highWaterMark: 0 });
  return new Response(body, { status, headers: toHeaders(headers) });
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
