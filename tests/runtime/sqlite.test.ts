import assert from "node:assert/strict";
import { test } from "node:test";
import { openDatabase } from "../../lib/runtime/sqlite.ts";
import { NO_SQLITE } from "../kit/data_dir.ts";

test("openDatabase() reports a commit that fails", { skip: NO_SQLITE }, () => {
  const database = openDatabase(":memory:");
  database.exec("PRAGMA foreign_keys = ON");
  database.exec("CREATE TABLE a (id INTEGER PRIMARY KEY)");
  database.exec("CREATE TABLE b (a INTEGER REFERENCES a (id) DEFERRABLE INITIALLY DEFERRED)");
  const sql = "INSERT INTO b VALUES (1) RETURNING a";
  assert.throws(() => database.get(sql), /FOREIGN KEY/);
  assert.throws(() => database.all(sql), /FOREIGN KEY/);
  assert.throws(() => database.run("INSERT INTO b VALUES (1)"), /FOREIGN KEY/);
  assert.equal(database.get("SELECT a FROM b"), undefined);
  database.close();
});
