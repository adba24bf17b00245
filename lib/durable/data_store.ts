import type { Contents } from "./contents/contents.ts";
import type { Database } from "./database.ts";
import type { Instances } from "./instances.ts";

/** Where the gateways that work together keep what outlives a request: `DATA_DIR`, or the database at `DATA_URL`. */
export interface DataStore {
  readonly database: Database;
  /** Expression of SQL for the bytes that the store takes. */
  readonly sizeSql: string;
  /** The gateways that share the store. */
  readonly instances: Instances;
  /** The content of files. */
  readonly contents: Contents;
  /** Settles when the store can be used. @throws {ConfigError} if it cannot. */
  ready(): Promise<void>;
  /** Returns the space of removed rows to the disk, a part at a time. */
  tidy(): Promise<void>;
  /** Closes the store. Other gateways can then take over the work that this one has not ended. */
  close(): Promise<void>;
}
