import * as v from "valibot";
import { ConfigError } from "../config/parse.ts";
import { quote } from "../base/redact.ts";
import { tryJson } from "../base/json.ts";
import { describeFileError } from "../runtime/file_errors.ts";
import { openRecordFolder, type RecordFolder } from "../runtime/stores/record_folder.ts";
import type { RecordStore } from "./record_store.ts";

/**
 * Creates a store in the folder `keys` of `STATE_DIR`.
 *
 * @throws {ConfigError} if the folder cannot be created.
 */
export function createFileRecords(stateDir: string): RecordStore {
  const folder = open(stateDir);

  async function readUses(): Promise<ReadonlyMap<string, number>> {
    const uses = v.safeParse(Uses, tryJson(await folder.readOther(USES_FILE) ?? "[]"));
    return new Map(uses.success ? uses.output : []);
  }

  function writeUses(uses: ReadonlyMap<string, number>): Promise<void> {
    return folder.writeOther(USES_FILE, JSON.stringify([...uses]));
  }

  return {
    read: () => folder.read(),
    add: (name, text) => folder.add(name, text),
    remove: (name) => folder.remove(name),
    readUses,
    async addUses(uses) {
      const merged = new Map(await readUses());
      for (const [name, at] of uses) merged.set(name, Math.max(at, merged.get(name) ?? 0));
      await writeUses(merged);
    },
    async removeUse(name) {
      const uses = new Map(await readUses());
      if (uses.delete(name)) await writeUses(uses);
    },
  };
}

const USES_FILE = "last_uses";

const Uses = v.array(v.tuple([v.string(), v.number()]));

function open(stateDir: string): RecordFolder {
  try {
    return openRecordFolder(`${stateDir.replace(/\/+$/, "")}/keys`);
  } catch (cause) {
    const why = describeFileError(cause);
    throw Object.assign(new ConfigError([`Cannot use STATE_DIR ${quote(stateDir)}: ${why}`]), { cause });
  }
}
