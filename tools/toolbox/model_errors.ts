import { ToolError } from "../errors.ts";
import type { Models } from "../models.ts";

/** Gives the models in such a way that a tool can tell of their failure as of its own. */
export function withToolErrors({ complete, runSubagent, search }: Models): Models {
  return {
    complete: (prompt, options) => complete(prompt, options).catch(throwToolError),
    runSubagent: (prompt, options) => runSubagent(prompt, options).catch(throwToolError),
    search: (query, signal) => search(query, signal).catch(throwToolError),
  };
}

function throwToolError(cause: unknown): never {
  throw cause instanceof Error ? new ToolError(`Cannot ask the model: ${cause.message}`, { cause }) : cause;
}
