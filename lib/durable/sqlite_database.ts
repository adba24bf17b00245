import type { Database as Connection } from "../runtime/sqlite.ts";
import type { Database, Queries } from "./database.ts";

/** Creates a database of an open SQLite connection. While a transaction is open, other statements wait for its end. */
export function createSqliteDatabase(connection: Connection): Database {
  let open: Promise<void> | undefined;

  async function whenFree<Result>(query: () => Result): Promise<Result> {
    while (open !== undefined) await open;
    return query();
  }

  const direct: Queries = {
    run: async (sql, ...values) => connection.run(sql, ...values),
    get: async (sql, ...values) => connection.get(sql, ...values),
    all: async (sql, ...values) => connection.all(sql, ...values),
  };

  return {
    locks: { row: "", next: "" },
    run: (sql, ...values) => whenFree(() => connection.run(sql, ...values)),
    get: (sql, ...values) => whenFree(() => connection.get(sql, ...values)),
    all: (sql, ...values) => whenFree(() => connection.all(sql, ...values)),
    async transaction(work) {
      const { transaction, end } = await whenFree(() => {
        const begun = connection.begin();
        let end = () => {};
        open = new Promise((resolve) => end = resolve);
        return { transaction: begun, end };
      });
      try {
        const result = await work(direct);
        transaction.commit();
        return result;
      } catch (error) {
        transaction.rollBack();
        throw error;
      } finally {
        open = undefined;
        end();
      }
    },
  };
}
