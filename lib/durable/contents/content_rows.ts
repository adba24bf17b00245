import type { Clock } from "../../runtime/clock.ts";
import { type Contents, PIECE_BYTES } from "./contents.ts";
import type { Database } from "../database.ts";

/** Creates the contents of a database: rows of at most a MiB. */
export function createContentRows(database: Database, clock: Pick<Clock, "now">): Contents {
  const remove = async (id: string) => void await database.run("DELETE FROM file_pieces WHERE file = ?", id);

  async function findPiece(id: string, nth: number): Promise<Uint8Array | undefined> {
    const row = await database.get("SELECT bytes FROM file_pieces WHERE file = ? AND nth = ?", id, nth);
    return row?.bytes instanceof Uint8Array ? row.bytes : undefined;
  }

  return {
    async create(id) {
      const buffer = new Uint8Array(PIECE_BYTES);
      let size = 0;
      let nth = 0;
      const flush = async () => {
        if (size === 0) return;
        const piece = buffer.slice(0, size);
        size = 0;
        await database.run("INSERT INTO file_pieces VALUES (?, ?, ?, ?)", id, nth++, clock.now(), piece);
      };
      return {
        async write(bytes) {
          for (let at = 0; at < bytes.length;) {
            const part = bytes.subarray(at, at + PIECE_BYTES - size);
            buffer.set(part, size);
            size += part.length;
            at += part.length;
            if (size === PIECE_BYTES) await flush();
          }
        },
        finish: flush,
        discard: () => remove(id),
      };
    },
    async read(id) {
      const pieces: Uint8Array<ArrayBuffer>[] = [];
      for (let nth = 0;; nth++) {
        const piece = await findPiece(id, nth);
        if (piece === undefined) break;
        pieces.push(piece.slice());
      }
      return new Uint8Array(await new Blob(pieces).arrayBuffer());
    },
    stream(id, size) {
      let nth = 0;
      let sent = 0;
      return new ReadableStream<Uint8Array>({
        async pull(controller) {
          const piece = await findPiece(id, nth++);
          if (piece !== undefined) {
            sent += piece.length;
            controller.enqueue(piece.slice());
          } else if (sent === size) controller.close();
          else controller.error(new Error("Cannot read the file: it was removed meanwhile"));
        },
      }, { highWaterMark: 0 });
    },
    remove,
    async removeLeftovers(before) {
      await database.run(
        `DELETE FROM file_pieces WHERE file IN
          (SELECT file FROM file_pieces GROUP BY file HAVING max(written_at) < ?)
          AND file NOT IN (SELECT id FROM files)`,
        before,
      );
    },
  };
}
