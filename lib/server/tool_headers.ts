import { ApiError } from "../base/errors.ts";

/** What the headers of a request say about the gateway's own tools, for clients whose body cannot be changed. */
export interface Wishes {
  /** The tools that the gateway may run, by name; `*` stands for all. */
  tools: readonly string[];
  /** Whether tools that the client declares under the name of one of the gateway's are run here. */
  intercept: boolean;
}

/**
 * Reads `x-gateway-tools` (`Read,Grep` or `*`) and `x-gateway-tools-mode` (`intercept`).
 *
 * @throws {ApiError} `invalid_request_error` for a mode that there is not.
 */
export function readWishes({ headers }: Request): Wishes {
  const tools = (headers.get("x-gateway-tools") ?? "").split(",").map((name) => name.trim());
  const mode = headers.get("x-gateway-tools-mode")?.trim() ?? "";
  if (mode !== "" && mode !== "intercept") {
    throw new ApiError(
      "invalid_request_error",
      `x-gateway-tools-mode: Cannot use mode ${JSON.stringify(mode.slice(0, 40))}: expected intercept`,
    );
  }
  return { tools: tools.filter((name) => name !== ""), intercept: mode === "intercept" };
}
