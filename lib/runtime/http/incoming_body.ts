import type { IncomingMessage } from "node:http";
import type { BodyReader } from "./direct_request.ts";

/** Bytes of a request's body that are kept for a slow reader before its connection is paused. */
const MAX_KEPT_BYTES = 64 * 1024;

/** Reads the body of a request of Node's HTTP server. A read returns all bytes that have arrived. */
export class IncomingBody implements BodyReader {
  readonly #incoming: IncomingMessage;
  #pieces: Uint8Array[] = [];
  #keptBytes = 0;
  #state: "new" | "open" | "ended" | "failed" = "new";
  #failure: unknown;
  /** Ends the wait of a read. */
  #wake = (): void => {};

  constructor(incoming: IncomingMessage) {
    this.#incoming = incoming;
  }

  async read(): Promise<ReadableStreamReadResult<Uint8Array>> {
    if (this.#state === "new") this.#open();
    while (this.#pieces.length === 0 && this.#state === "open") {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    const [first] = this.#pieces;
    if (first !== undefined) {
      const value = this.#pieces.length === 1 ? first : Buffer.concat(this.#pieces);
      this.#pieces = [];
      this.#keptBytes = 0;
      if (this.#state === "open") this.#incoming.resume();
      return { done: false, value };
    }
    if (this.#state === "failed") throw this.#failure;
    return { done: true, value: undefined };
  }

  releaseLock(): void {
    if (this.#state !== "new" && this.#state !== "open") return;
    if (this.#state === "open") this.#incoming.pause();
    this.#close("failed", new TypeError("The reader was released"));
  }

  readonly #onData = (piece: Uint8Array): void => {
    this.#pieces.push(piece);
    this.#keptBytes += piece.byteLength;
    if (this.#keptBytes > MAX_KEPT_BYTES) this.#incoming.pause();
    this.#wake();
  };
  readonly #onEnd = (): void => this.#close("ended");
  readonly #onFailure = (error: unknown): void => this.#close("failed", error);
  readonly #onClose = (): void => this.#close("failed", new TypeError("The connection was closed"));

  #open(): void {
    const { readableEnded, destroyed, errored } = this.#incoming;
    this.#state = readableEnded ? "ended" : destroyed ? "failed" : "open";
    this.#failure = errored;
    if (this.#state !== "open") return;
    this.#incoming.on("data", this.#onData).on("end", this.#onEnd)
      .on("error", this.#onFailure).on("close", this.#onClose);
  }

  #close(state: "ended" | "failed", failure?: unknown): void {
    if (this.#state === "ended" || this.#state === "failed") return;
    this.#state = state;
    this.#failure = failure;
    this.#incoming.off("data", this.#onData).off("end", this.#onEnd)
      .off("error", this.#onFailure).off("close", this.#onClose);
    this.#wake();
  }
}
