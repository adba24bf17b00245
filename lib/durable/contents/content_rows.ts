import { createPieceBuffer } from "../../base/piece_buffer.ts";
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
      let nth = 0;
      const buffer = createPieceBuffer(PIECE_BYTES, async (piece) => {
        const row = [id, nth++, clock.now(), piece.slice()] as const;
        await database.run("INSERT INTO file_pieces VALUES (?, ?, ?, ?)", ...row);
      });
      return {
        write: (bytes) => buffer.add(bytes),
        finish: () => buffer.flush(),
        discard: () => remove(id),
      };
    },
    async read(id, size) {
      const pieces: Uint8Array<ArrayBuffer>[] = [];
      for (let nth = 0;; nth++) {
        const piece = await findPiece(id, nth);
        if (piece === undefined) break;
        pieces.push(piece.slice());
      }
      const bytes = new Uint8Array(await new Blob(pieces).arrayBuffer());
      return bytes.length === size ? bytes : undefined;
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
