import { directBodyOf, type PulledBody } from "./direct_body.ts";

/** What Bun's server writes a body with. Source: https://bun.sh/docs/api/streams */
interface DirectController {
  /** Returns a promise if the client has not taken what was written before. */
  write(text: string): unknown;
  /** Sends what was written. */
  flush(): void;
  close(): void;
}

/**
 * Returns the response as Bun's server writes it with the least work: a body of `createDirectResponse()` becomes a
 * stream of the type `direct`, which has no queue.
 */
export function toBunResponse(response: Response): Response {
  const body = directBodyOf(response);
  if (body === undefined || typeof body === "string") return response;
  const { status, headers } = response;
  // TypeScript's types do not have Bun's type of a source.
  const source: object = {
    type: "direct",
    pull: (controller: DirectController) => writePieces(controller, body),
    cancel: () => body.cancel(),
  };
  return new Response(new ReadableStream<Uint8Array>(source), { status, headers });
}

/** Writes the pieces of a body as fast as the client reads them. */
async function writePieces(controller: DirectController, body: PulledBody): Promise<void> {
  let taking: Promise<void> | undefined;
  const end = () => void (taking = undefined);
  body.start({
    write(text) {
      const written = controller.write(text);
      controller.flush();
      if (written instanceof Promise) taking = written.then(end, end);
    },
    close: () => controller.close(),
    get writable() {
      return taking === undefined;
    },
  });
  while (!body.ended) {
    if (taking !== undefined) await taking;
    else if (!body.write()) await body.ready();
  }
}
