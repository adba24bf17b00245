import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { NO_POSTGRES, startPostgres } from "../../end_to_end/servers/postgres_server.ts";
import { GATEWAY_KEY, setUpTestbed, type Testbed } from "./testbed.ts";

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

/** Sets up the testbed of a suite: a gateway on Bun with an empty store, which is closed after the suite. */
export function setStoreStage(open: DataStore["open"]): Testbed {
  let close = async () => {};
  const testbed = setUpTestbed({
    key: GATEWAY_KEY,
    runtime: "bun",
    async settings() {
      const store = await open();
      close = store.close;
      return store.settings;
    },
  });
  after(() => close());
  return testbed;
}
