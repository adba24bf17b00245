import { after, before, test } from "node:test";
import type { Settings } from "../../../lib/config/settings.ts";
import { createFolders, NO_SQLITE } from "../../kit/data_dir.ts";
import { NO_POSTGRES, type PostgresServer, startPostgres } from "../servers/postgres_server.ts";

/** Returns the settings of a new, empty store. */
export type NewStore = () => Promise<Settings>;

/** Defines a test for each kind of store. */
export type StoreTest = (name: string, run: (newStore: NewStore) => Promise<void>) => void;

/**
 * Returns a function that defines tests for `DATA_DIR` and for `DATA_URL`, whose server ends after those of the file.
 */
export function createStoreTest(): StoreTest {
  const newFolder = createFolders();
  let server: PostgresServer | undefined;
  before(async () => {
    if (!NO_POSTGRES) server = await startPostgres();
  });
  after(() => server?.stop());
  const stores: [name: string, skip: string | false, newStore: NewStore][] = [
    ["DATA_DIR", NO_SQLITE, async () => ({ DATA_DIR: newFolder() })],
    ["DATA_URL", NO_POSTGRES, async () => ({ DATA_URL: await server?.newDatabase() })],
  ];
  return (name, run) => {
    for (const [kind, skip, newStore] of stores) test(`${name}, in ${kind}`, { skip }, () => run(newStore));
  };
}
