import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NO_POSTGRES, startPostgres } from "../end_to_end/servers/postgres_server.ts";

/** A kind of store for batches and files. */
export interface DataStore {
  name: "DATA_DIR" | "DATA_URL";
  /** Why there can be none, or `false`. */
  skip: string | false;
  /** Creates an empty store. */
  open(): Promise<{ settings: Record<string, string>; close(): Promise<void> }>;
}

/** The kinds of stores of one gateway, and of several. */
export const DATA_STORES: readonly DataStore[] = [
  {
    name: "DATA_DIR",
    skip: false,
    async open() {
      const folder = await mkdtemp(join(tmpdir(), "data-dir-"));
      return {
        settings: { DATA_DIR: folder },
        close: () => rm(folder, { recursive: true, force: true }),
      };
    },
  },
  {
    name: "DATA_URL",
    skip: NO_POSTGRES,
    async open() {
      const server = await startPostgres();
      return { settings: { DATA_URL: await server.newDatabase() }, close: server.stop };
    },
  },
];
