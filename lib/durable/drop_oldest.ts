import type { Queries } from "./database.ts";

/** Maximum size of the kept answers of one owner, in bytes. */
const MAX_KEPT_BYTES = 256 * 1024 * 1024;

/** Removes the oldest complete answers of the owner of an answer while they exceed the maximum. */
export async function dropOldest(queries: Queries, id: string): Promise<void> {
  const ofOwner = "FROM answers WHERE owner = (SELECT owner FROM answers WHERE id = ?) AND state = 'done'";
  let bytes = Number((await queries.get(`SELECT sum(bytes) AS bytes ${ofOwner}`, id))?.bytes ?? 0);
  while (bytes > MAX_KEPT_BYTES) {
    const oldest = await queries.get(`SELECT id, bytes ${ofOwner} ORDER BY created_at LIMIT 1`, id);
    if (oldest === undefined) return;
    await queries.run("DELETE FROM answers WHERE id = ?", String(oldest.id));
    bytes -= Number(oldest.bytes);
  }
}
