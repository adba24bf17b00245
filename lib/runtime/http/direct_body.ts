/** Receives the text of a body. */
export interface BodySink {
  write(text: string): void;
  /** Ends the body. */
  close(): void;
  /** True if the client has taken what was written. */
  readonly writable: boolean;
}

/** A body that is made piece by piece, as its client reads. */
export interface PulledBody {
  /** Sets the sink. Called once, before the first piece. */
  start(sink: BodySink): void;
  /** Writes the next piece or ends the body, if it can without a wait. Returns false if it must wait. */
  write(): boolean;
  /** Waits until another call of `write()` may succeed. Never rejects. */
  ready(): Promise<void>;
  /** Ends the body, because the client has left. */
  cancel(): Promise<void>;
  /** True if nothing more is written. */
  readonly ended: boolean;
}

/** The bodies of responses, for a server that can write them itself. */
const bodies = new WeakMap<Response, PulledBody | string>();

/**
 * Creates a response with a text or a pulled body. It is a web-standard response; the gateway's servers on Node.js and
 * Bun write its body without the stream, which costs as much as all the rest.
 */
export function createDirectResponse(body: PulledBody | string, init: ResponseInit): Response {
  const stream = typeof body === "string" ? body : toStream(body, () => bodies.delete(response));
  const response = new Response(stream, init);
  bodies.set(response, body);
  return response;
}

/** Returns the body of a response that {@linkcode createDirectResponse} has made, unless its stream is read. */
export function directBodyOf(response: Response): PulledBody | string | undefined {
  return bodies.get(response);
}

/** Returns the stream of a body. Nothing is made before its reader asks for it, and `onStart` is called. */
export function toStream(body: PulledBody, onStart = () => {}): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let started = false;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (!started) {
        started = true;
        onStart();
        body.start({
          write: (text) => controller.enqueue(encoder.encode(text)),
          close: () => controller.close(),
          get writable() {
            return controller.desiredSize !== null && controller.desiredSize >= 0;
          },
        });
      }
      while (!body.write()) await body.ready();
    },
    cancel: () => body.cancel(),
  }, { highWaterMark: 0 });
}
