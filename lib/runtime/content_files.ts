import { createPieceBuffer } from "../base/piece_buffer.ts";

/** A new file that is being written. */
export interface ContentWriter {
  /** Adds bytes. They are written a MiB at a time: each write is a task of the runtime. */
  write(bytes: Uint8Array): Promise<void>;
  /** Completes the file, and gives it its name. */
  finish(): Promise<void>;
  /** Removes the file. */
  discard(): Promise<void>;
}

/** Size of a write, in bytes. */
const WRITE_BYTES = 1024 * 1024;

/** Ending of the name of a file that is being written. */
const PARTIAL = ".part";

/** Creates a file that only the account of the program can read. It gets its name when it is complete. */
export async function createContent(path: string): Promise<ContentWriter> {
  const { open, rename, rm } = loadFs();
  const file = await open(path + PARTIAL, "wx", 0o600);
  const buffer = createPieceBuffer(WRITE_BYTES, async (piece) => {
    for (let at = 0; at < piece.length;) at += (await file.write(piece, at, piece.length - at)).bytesWritten;
  });
  return {
    write: (bytes) => buffer.add(bytes),
    async finish() {
      await buffer.flush();
      await file.close();
      await rename(path + PARTIAL, path);
    },
    async discard() {
      await file.close().catch(() => {}); // it may be closed
      await rm(path + PARTIAL, { force: true });
    },
  };
}

/** Reads a whole file. Returns `undefined` if there is none. */
export async function readContent(path: string): Promise<Uint8Array | undefined> {
  try {
    return new Uint8Array(await loadFs().readFile(path));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** Size of a piece of a file, in bytes. */
const PIECE_BYTES = 64 * 1024;

/**
 * Returns the content of a file, which is opened with the first read. The body fails if the file has not `size` bytes,
 * so that a file that is removed meanwhile does not look complete.
 */
export function streamContent(path: string, size: number): ReadableStream<Uint8Array> {
  let file: Awaited<ReturnType<ReturnType<typeof loadFs>["open"]>> | undefined;
  let sent = 0;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        file ??= await loadFs().open(path, "r");
        const { bytesRead, buffer } = await file.read(new Uint8Array(PIECE_BYTES), 0, PIECE_BYTES, sent);
        sent += bytesRead;
        if (bytesRead > 0) return controller.enqueue(buffer.subarray(0, bytesRead));
        await file.close();
        if (sent !== size) throw new Error("the file has another size");
        controller.close();
      } catch (cause) {
        await file?.close().catch(() => {});
        controller.error(new Error("Cannot read the file", { cause }));
      }
    },
    async cancel() {
      await file?.close().catch(() => {});
    },
  }, { highWaterMark: 0 });
}

/** Removes a file, if there is one. */
export async function removeContent(path: string): Promise<void> {
  await loadFs().rm(path, { force: true });
}

/** Returns the names of the files of a folder that were not written to since a time, in milliseconds since 1970. */
export async function listUnchanged(folder: string, since: number): Promise<string[]> {
  const { readdir, stat } = loadFs();
  const old: string[] = [];
  for (const name of await readdir(folder)) {
    const found = await stat(`${folder}/${name}`).catch(() => undefined); // removed meanwhile
    if (found !== undefined && found.mtimeMs < since) old.push(name);
  }
  return old;
}

function loadFs(): typeof import("node:fs/promises") {
  return process.getBuiltinModule("node:fs/promises");
}
