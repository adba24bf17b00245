/** Keeps records by name. Several gateways may use one store. */
export interface RecordStore {
  /** Returns the text of every record by name. @throws if the store cannot be reached. */
  read(): Promise<ReadonlyMap<string, string>>;
  /** Adds a record. Returns false if there is one of this name. @throws if the store cannot be reached. */
  add(name: string, text: string): Promise<boolean>;
  /** Removes a record. Returns false if there is none of this name. @throws if the store cannot be reached. */
  remove(name: string): Promise<boolean>;
  /** Returns the last use of keys by name, in milliseconds since 1970. @throws if the store cannot be reached. */
  readUses(): Promise<ReadonlyMap<string, number>>;
  /** Adds uses; a later one is kept. @throws if the store cannot be reached. */
  addUses(uses: ReadonlyMap<string, number>): Promise<void>;
  /** Removes the last use of a key, if there is one. @throws if the store cannot be reached. */
  removeUse(name: string): Promise<void>;
}
