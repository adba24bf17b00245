import { StoreError } from "../../base/store_error.ts";
import type { Database as Connection } from "../../runtime/sqlite.ts";
import type { Database, Queries } from "../database.ts";
import { describeSqliteError } from "./sqlite_errors.ts";

/** The open transactions of this process, by the paths of their files. */
const transactions = new Map<string, Promise<void>>();

/**
 * Creates a database of an open SQLite connection to the file at `path`.
 *
 * While a transaction is open, other statements of this process wait for its end, also those of other connections:
 * SQLite would block the thread that ends it. Other processes wait in SQLite.
 */
export function createSqliteDatabase(connection: Connection, path: string): Database {
  async function whenFree<Result>(query: () => Result): Promise<Result> {
    for (let open = transactions.get(path); open !== undefined; open = transactions.get(path)) await open;
    return tryQuery(query);
  }

  const direct: Queries = {
    run: async (sql, ...values) => tryQuery(() => connection.run(sql, ...values)),
    get: async (sql, ...values) => tryQuery(() => connection.get(sql, ...values)),
    all: async (sql, ...values) => tryQuery(() => connection.all(sql, ...values)),
  };

  return {
    locks: { row: "", next: "" },
    lock: async () => {},
    run: (sql, ...values) => whenFree(() => connection.run(sql, ...values)),
    get: (sql, ...values) => whenFree(() => connection.get(sql, ...values)),
    all: (sql, ...values) => whenFree(() => connection.all(sql, ...values)),
    async transaction(work) {
      const { transaction, end } = await whenFree(() => {
        const begun = connection.begin();
        let end = () => {};
        transactions.set(path, new Promise((resolve) => end = resolve));
        return { transaction: begun, end };
      });
      try {
        const result = await work(direct);
        tryQuery(() => transaction.commit());
        return result;
      } catch (error) {
        tryQuery(() => transaction.rollBack());
        throw error;
      } finally {
        transactions.delete(path);
        end();
      }
    },
  };
}

/** Runs a query. @throws {StoreError} if the database cannot be read or written. */
function tryQuery<Result>(query: () => Result): Result {
  try {
    return query();
  } catch (error) {
    const reason = describeSqliteError(error);
    throw reason === undefined ? error : StoreError.failed("data store", { reason, cause: error });
  }
}
