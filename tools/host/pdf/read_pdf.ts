import process from "node:process";
import { Worker } from "node:worker_threads";
import * as v from "valibot";
import { isPdfWithinLimit } from "./unpacked_size.ts";
import { PDF_WORKER_SOURCE } from "./worker_source.ts";

/** Parts of a PDF to read. */
export interface PdfRequest {
  /** Pages, counted from 1; those beyond the last one are left out. Default: the first 100. */
  readonly pages?: readonly number[] | undefined;
  /** Maximum number of characters of all pages together. */
  readonly maxChars: number;
  /** Maximum number of characters of one page. Default: `maxChars`. */
  readonly maxPageChars?: number | undefined;
}

/** Text of a page. */
export interface PdfPage {
  readonly number: number;
  readonly text: string;
  readonly truncated: boolean;
}

/** Text of a PDF. */
export interface PdfText {
  readonly pageCount: number;
  readonly pages: readonly PdfPage[];
}

/** A PDF that cannot be read. The message completes "Cannot read it: ". */
export class PdfError extends Error {
  override name = "PdfError";
  /** True if the PDF exceeds a limit. */
  readonly tooLarge: boolean;

  constructor(reason: string, { tooLarge = false }: { tooLarge?: boolean } = {}) {
    super(reason);
    this.tooLarge = tooLarge;
  }
}

/** Maximum number of pages that are read if the request names none. */
const MAX_PAGES = 100;

/** Maximum size of a PDF after decompression. */
const MAX_UNPACKED_BYTES = 128 * 2 ** 20;

/** Maximum memory of the worker's heap, in MiB. Node.js and Deno enforce it. */
const HEAP_MIB = { old: 256, young: 32 };

/**
 * Maximum growth of the process while a PDF is read. It ends a worker whose memory is not in its heap, and any worker
 * on Bun, which has no limit for the heap.
 */
const MAX_GROWTH_BYTES = 512 * 2 ** 20;
const MEASURE_INTERVAL_MS = 50;

// Never called: Deno caches a package only if a source imports it.
void (() => import("unpdf"));

/**
 * Reads text of a PDF in a worker thread, which cannot hold up the process. The thread has a memory limit, and ends
 * with the signal.
 *
 * @throws {PdfError} if the PDF cannot be read or exceeds a limit.
 * @throws the reason of the signal, if it is aborted.
 */
export async function readPdf(
  bytes: Uint8Array,
  { pages, maxChars, maxPageChars = maxChars }: PdfRequest,
  signal: AbortSignal,
): Promise<PdfText> {
  if (!await isPdfWithinLimit(bytes, MAX_UNPACKED_BYTES)) {
    throw new PdfError("it is too large after decompression", { tooLarge: true });
  }
  signal.throwIfAborted();
  const request = { numbers: pages, maxPages: MAX_PAGES, maxChars, maxPageChars };
  const reply = v.parse(Reply, await runWorker({ bytes: bytes.slice(), request }, signal));
  if (!("error" in reply)) return reply;
  throw new PdfError(
    reply.error === "PasswordException" ? "it is password-protected" : "it is damaged or not a PDF",
  );
}

const Reply = v.union([
  v.object({ error: v.string() }),
  v.object({
    pageCount: v.number(),
    pages: v.array(v.object({ number: v.number(), text: v.string(), truncated: v.boolean() })),
  }),
]);

/** Starts a worker, and returns its message. The worker ends in any case. */
async function runWorker(
  { bytes, request }: { bytes: Uint8Array<ArrayBuffer>; request: object },
  signal: AbortSignal,
): Promise<unknown> {
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(PDF_WORKER_SOURCE)}`), {
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB.old, maxYoungGenerationSizeMb: HEAP_MIB.young },
  });
  const growthLimit = process.memoryUsage.rss() + MAX_GROWTH_BYTES;
  let timer: ReturnType<typeof setInterval> | undefined;
  let onAbort = () => {};
  try {
    return await new Promise((resolve, reject) => {
      const fail = () => reject(outOfMemory());
      onAbort = () => reject(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
      timer = setInterval(() => process.memoryUsage.rss() > growthLimit && fail(), MEASURE_INTERVAL_MS);
      let isReady = false;
      worker.on("message", (message) => {
        if (isReady) resolve(message);
        isReady = true;
      });
      // A worker that exceeds its heap ends with an error, or without one. Other errors are of the parser, which may
      // fail outside of its promises, or of the worker's start.
      worker.once("error", (error) => {
        if (isOutOfMemory(error)) fail();
        else if (isReady) resolve({ error: "Error" });
        else reject(error);
      });
      worker.once("exit", fail);
      worker.postMessage({ bytes, request, library: import.meta.resolve("unpdf") }, [bytes.buffer]);
    });
  } finally {
    clearInterval(timer);
    signal.removeEventListener("abort", onAbort);
    // On Deno, a busy worker takes up to 2 seconds to end. Nothing waits for it.
    void worker.terminate();
  }
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY";
}

function outOfMemory(): PdfError {
  return new PdfError("it needs too much memory", { tooLarge: true });
}
