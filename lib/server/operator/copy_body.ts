/**
 * Returns a response whose body is copied while it is read, at most up to a number of bytes. `received` returns the
 * text that was read so far, and whether more was.
 */
export function copyBody(
  response: Response,
  maxBytes: number,
): { copy: Response; received: () => { text: string; cut: boolean } } {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  let cut = false;
  const received = () => {
    const decoder = new TextDecoder();
    const text = chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join("") + decoder.decode();
    return { text, cut };
  };
  if (response.body === null) return { copy: response, received };
  const reader = response.body.getReader();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) return controller.close();
      if (bytes + value.length > maxBytes) cut = true;
      else {
        bytes += value.length;
        chunks.push(value.slice());
      }
      controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
  const { status, statusText, headers } = response;
  return { copy: new Response(body, { status, statusText, headers }), received };
}
