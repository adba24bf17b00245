/** How the body of a response ended: complete, or left by the client. */
export type BodyEnd = "finished" | "left";

/**
 * Returns an event stream that calls `onEnd` once, when it has ended. Chunks are read only when the client reads.
 *
 * The stream starts with a comment. Bun sends the headers of a response with the first bytes of its body, and does not
 * notice before that the client has disconnected.
 */
export function observeEnd(
  response: Response,
  client: AbortSignal,
  onEnd: (end: BodyEnd, error?: unknown) => void,
): Response {
  const { body, status, headers } = response;
  if (body === null) {
    onEnd("finished");
    return response;
  }
  const reader = body.getReader();
  let ended = false;
  const finish = (end: BodyEnd, error?: unknown) => {
    if (!ended) onEnd(end, error);
    ended = true;
  };
  const observed = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new TextEncoder().encode(": open\n\n")),
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        finish(client.aborted ? "left" : "finished");
        controller.close();
      } catch (error) {
        finish("left", error);
        controller.error(error);
      }
    },
    async cancel(reason) {
      finish("left");
      await reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
  return new Response(observed, { status, headers });
}
