import { ApiError } from "../base/errors.ts";
import { ADMIN, LOCAL } from "../config/gateway_keys.ts";

/**
 * Who may call an endpoint of the operator.
 *
 * - `admin_key`: callers with the admin key only.
 * - `admin`: callers with the admin key and, if no key is configured at all, any caller, as on the other routes.
 * - `debug`: callers with the admin key and, with `ENVIRONMENT=development`, any caller.
 */
export type OperatorAccess = "admin_key" | "admin" | "debug";

/**
 * Rejects callers that may not call an endpoint of the operator.
 *
 * @throws {ApiError} `permission_error`.
 */
export function checkOperator(
  client: string,
  access: OperatorAccess,
  { hasKeys, development }: { hasKeys: boolean; development: boolean },
): void {
  if (client === ADMIN) return;
  if (access === "debug" && development) return;
  if (access === "admin" && client === LOCAL && !hasKeys) return;
  const others = access === "debug" ? " or ENVIRONMENT=development" : "";
  throw new ApiError("permission_error", `Cannot use this endpoint: it needs GATEWAY_ADMIN_KEY${others}`);
}
