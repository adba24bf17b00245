import type { RecordStore } from "./record_store.ts";

/** Creates a store in the memory of this process. */
export function createMemoryRecords(): RecordStore {
  const records = new Map<string, string>();
  return {
    read: () => Promise.resolve(new Map(records)),
    add(name, text) {
      const isNew = !records.has(name);
      if (isNew) records.set(name, text);
      return Promise.resolve(isNew);
    },
    remove: (name) => Promise.resolve(records.delete(name)),
    readUses: () => Promise.resolve(new Map()),
    addUses: () => Promise.resolve(),
    removeUse: () => Promise.resolve(),
  };
}
