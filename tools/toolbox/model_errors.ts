import { ToolError } from "../errors.ts";
import type { Models } from "../models.ts";

/** Wraps the models: their errors become `ToolError`, which a tool can pass on as its failure. */
export function withToolErrors({ complete, runSubagent, search }: Models): Models {
  return {
    complete: (prompt, options) => complete(prompt, options).catch(throwToolError),
    runSubagent: (prompt, options) => runSubagent(prompt, options).catch(throwToolError),
    search: (query, signal) => search(query, signal).catch(throwToolError),
  };
}

function throwToolError(cause: unknown): never {
  throw cause instanceof Error ? new ToolError(`Cannot call the model: ${cause.message}`, { cause }) : cause;
}
