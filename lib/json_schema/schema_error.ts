/** The reason why a schema cannot be used, and the place in the schema. */
export class SchemaError extends Error {
  override readonly name = "SchemaError";
  /** JSON pointer to the part of the schema. */
  readonly pointer: string;
  readonly reason: string;

  constructor(pointer: string, reason: string) {
    super(`Cannot use the schema at "${pointer}": ${reason}`);
    this.pointer = pointer;
    this.reason = reason;
  }
}

/** A check of a value that was given up, because it takes more steps than allowed. */
export class CostError extends Error {
  override readonly name = "CostError";
}
