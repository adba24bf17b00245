import { ToolError } from "../errors.ts";
import type { Models } from "../models.ts";

/** Gives the models in such a way that a tool can tell of their failure as of its own. */
export function toToldModels({ complete, converse, search }: Models): Models {
  return {
    complete: (prompt, options) => complete(prompt, options).catch(tell),
    converse: (prompt, options) => converse(prompt, options).catch(tell),
    search: (query, signal) => search(query, signal).catch(tell),
  };
}

function tell(cause: unknown): never {
  throw cause instanceof Error ? new ToolError(`Cannot ask the model: ${cause.message}`, { cause }) : cause;
}
