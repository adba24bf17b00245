import { ApiError } from "../base/errors.ts";
import type { ToolHeaders } from "../server_tools/assign.ts";

/**
 * Reads `x-gateway-tools` (`Read,Grep` or `*`) and `x-gateway-tools-mode` (`intercept`).
 *
 * @throws {ApiError} `invalid_request_error` if the mode is unknown.
 */
export function readToolHeaders({ headers }: Request): ToolHeaders {
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
